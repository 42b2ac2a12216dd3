"""What runs a converted folder, importing nothing but the engine: a recipe's code is made of it."""
