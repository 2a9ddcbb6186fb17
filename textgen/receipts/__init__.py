"""Receipts: what it takes to draw a text again, as a short code beside the text, and how texts differ.

Nothing here imports NumPy: the bot reads codes without it.
"""
