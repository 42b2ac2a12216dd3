"""Strategies that compute the same, or nearly the same, by less work."""
