"""Learning on many machines at once: one exclusive slot a machine, and the workloads of the design divided over machines alike."""
