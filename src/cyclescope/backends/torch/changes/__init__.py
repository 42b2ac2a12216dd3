"""Changes of a model that a plan asks for, made to the model in memory. One kind of change a file."""
