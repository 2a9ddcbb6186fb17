"""The offline playground: the real bot in a simulated Discord."""
