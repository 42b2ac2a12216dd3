"""Events to columns in compiled code, where there is any."""
