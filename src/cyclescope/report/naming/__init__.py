"""Codes and values in words: one table a kind of code, one file a subject."""
