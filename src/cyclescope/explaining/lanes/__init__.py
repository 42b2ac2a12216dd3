"""The lanes of an imported cycle: when each thread and stream works, why it waits, and what the whole waits for."""
