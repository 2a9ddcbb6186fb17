"""Measures this machine, for `textgen benchmark` and `make bench`.

Everything is measured in processes like those of a real training and a real sampler.
"""
