"""What stands on its own: it is copied into the code of a recipe."""
