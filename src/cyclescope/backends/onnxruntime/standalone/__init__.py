"""What runs a prepared file, importing nothing but the engine: a recipe's code is made of it."""
