"""The kinds of recurrent layers, one folder each; `textgen.network.cells.registry` lists them.

A folder holds all that is particular to a cell: its parameters' shapes and its training recipe (`Cell`), its
Keras layer (``keras_layer.py``, which only training imports), and its step in NumPy.
"""
