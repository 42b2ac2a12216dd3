"""What this machine can do: probes, their schedule, and where the figures are kept."""
