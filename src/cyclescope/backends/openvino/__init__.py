"""OpenVINO: the exported model on its processor plugin, read by the engine's own performance counters."""
