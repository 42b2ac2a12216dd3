"""The structure of a model that is named and not run."""
