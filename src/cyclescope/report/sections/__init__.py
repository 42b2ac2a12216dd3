"""One subject a file: from values to a section of a page."""
