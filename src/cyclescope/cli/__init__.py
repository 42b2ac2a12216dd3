"""The command line: one file per command, arguments in, a page out."""
