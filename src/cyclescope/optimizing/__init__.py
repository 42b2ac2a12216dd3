"""The fastest honest way to run a workload here: what may help, tried side by side, and what is left of the outputs."""
