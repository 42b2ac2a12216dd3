"""What a measurement may change of the user's, and the way back to it."""
