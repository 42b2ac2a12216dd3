"""One reader a format, and the tuple of all."""
