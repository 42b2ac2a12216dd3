"""What stands on its own for engines that are called step by step: it is copied into the code of a recipe, and imports numpy only."""
