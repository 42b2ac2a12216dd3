"""A cycle in the formats of other tools."""
