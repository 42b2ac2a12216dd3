"""What may shorten a cycle: one strategy a file, one folder a kind."""
