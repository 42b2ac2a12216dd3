"""What stands on its own whatever the engine: it is copied into the code of a recipe, and imports numpy and transformers only."""
