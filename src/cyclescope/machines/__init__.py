"""Known machines: what their datasheets state, one TOML table each, every figure with its source."""
