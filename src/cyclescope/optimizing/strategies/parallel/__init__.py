"""Strategies that do more at the same time."""
