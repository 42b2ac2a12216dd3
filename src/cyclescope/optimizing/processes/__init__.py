"""The processes that trials run in, and what they and the search say to each other."""
