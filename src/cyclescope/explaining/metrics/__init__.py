"""What the figures of a generation mean: each defined once, as data that is computed, printed and compared from."""
