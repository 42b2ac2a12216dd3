"""The version, in the one place that the package, its run files and its build read."""

__version__ = "0.1.0"
