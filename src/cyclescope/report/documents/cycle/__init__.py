"""The document about a cycle, a file for each of its subjects."""
