"""Who wrote a text: whether a model did to the letter, and which of several models most likely did."""
