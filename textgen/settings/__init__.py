"""The settings of a training, their presets, and suggestions for a corpus."""
