"""Predict the cycle of what was not run: from the structure of a model, a plan and the figures of a machine."""
