"""Timing models for engines that run a model as a whole, whose time is not a sum over the operations that were traced."""
