"""The operations of a cycle and the tensors that tie them: traced, built, and found apart into stages, layers and blocks."""
