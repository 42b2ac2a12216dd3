"""The nouns: frozen, typed, without any framework."""
