"""The warm sampler processes and how the bot asks them for text."""
