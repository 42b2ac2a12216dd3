"""A toy engine in one folder: it evaluates the exported graph with ONNX's own reference in numpy."""
