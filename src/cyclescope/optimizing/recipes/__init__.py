"""What an optimization returns: the plan as a file, as code, applied and verified."""
