"""A page in a terminal, in Markdown, in HTML."""
