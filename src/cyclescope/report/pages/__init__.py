"""One page a file: which sections, in which order."""
