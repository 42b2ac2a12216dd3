"""What an optimization hands back: the plan as a file, as code, applied and verified."""
