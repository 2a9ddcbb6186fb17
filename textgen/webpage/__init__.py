"""A model as one web page, which writes offline what `textgen sample` writes.

The page holds the model's bundle in a denser form (`textgen.webpage.payload`) and the sampler again, in
JavaScript (``static/``). Both compute in 64 bits what the library computes in 64 bits, and round where it
rounds. So the last bit of an exponential, which differs between browsers as it does between NumPy and C, does
not decide about a text (`textgen.inference.numerics`). The page loads nothing, and its policy forbids it.
"""

from textgen.webpage.page import Shown, page_of

__all__ = ["Shown", "page_of"]
