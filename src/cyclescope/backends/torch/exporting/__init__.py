"""A transformers model as a file that other engines run."""
