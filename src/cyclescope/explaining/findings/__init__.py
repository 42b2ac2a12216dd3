"""What stands in the way of a faster cycle, each with its evidence. One finding a file; `catalogue` lists them all."""
