"""The texts of the reports."""
