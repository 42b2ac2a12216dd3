"""Strategies that make the model smaller, at the price of its outputs."""
