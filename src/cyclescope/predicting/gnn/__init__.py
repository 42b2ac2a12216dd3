"""The graph network: kernels pass messages along their edges, and the times of all of them add up to that of the cycle."""
