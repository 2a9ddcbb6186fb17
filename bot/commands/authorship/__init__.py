"""Commands that ask who wrote a text."""
