"""The settings of a training, their presets, and advice on them for a corpus."""
