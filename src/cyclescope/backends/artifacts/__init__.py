"""What engines have in common that run a model from a file: the cycle around them, and its structure from their nodes."""
