"""The blocks that the views of this folder find their words in, of one language. They go with the views."""
