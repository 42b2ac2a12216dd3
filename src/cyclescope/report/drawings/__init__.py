"""From values to geometry, for the media that can draw."""
