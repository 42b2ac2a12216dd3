"""From a reference to a model, its tokenizer and its inputs."""
