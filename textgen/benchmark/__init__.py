"""This machine's figures: what `textgen benchmark` shows, and what measures for `make bench` too.

Everything is measured in processes like those that train and write in earnest.
"""
