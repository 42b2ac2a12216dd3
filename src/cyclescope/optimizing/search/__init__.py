"""Which plan to try next, and whether what was found is really faster."""
