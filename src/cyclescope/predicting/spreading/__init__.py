"""Plans that are spread over ranks: how a graph is split among them, what they send each other, and when each waits."""
