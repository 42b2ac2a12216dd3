"""ONNX Runtime: the exported model, fused, quantized if asked for, and read by the engine's own profile."""
