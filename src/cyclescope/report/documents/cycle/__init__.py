"""The parts of the document about a cycle, a file for each subject."""
