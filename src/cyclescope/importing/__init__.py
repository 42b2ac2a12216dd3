"""Traces of any engine, read into columns and made into a cycle: one reader a format, lanes, structure, assembly."""
