"""The times of operations, taken where Python enters the engine."""
