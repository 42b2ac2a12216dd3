"""Models that write: their loop, their cache, their turns."""
