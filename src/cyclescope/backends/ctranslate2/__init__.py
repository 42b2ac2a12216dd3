"""CTranslate2 as an engine: the model converted into its own files, an encoder or a writer on them."""
