"""The bundle: a trained model as a folder of plain data.

========================  ==================================================================
``spec.json``             the network (`textgen.network.spec`)
``tokenizer.json``        the tokenizer (`textgen.tokenizers`)
``weights.safetensors``   the parameters, 32-bit floats under the names of `NetworkSpec.shapes`
``counts.safetensors``    the counted models (`textgen.experts`), if the network mixes any
``lines.safetensors``     the lines of a corpus with one item a line (`textgen.corpus.known_lines`)
``manifest.json``         format, SHA-256 and size of the other files, provenance, metrics, history
========================  ==================================================================

Of a fine-tuned base (`textgen.pretrained.tuned`) the weights are what was added to it, in 16 bits, and
``tokenizer.json`` names the base, which is no part of the bundle.

Nothing in it is executed or unpickled. Samplers read bundles, so Keras must not be imported here.
"""

from textgen.bundle.contents import Bundle
from textgen.bundle.manifest import Manifest
from textgen.bundle.reading import read, read_manifest
from textgen.bundle.writing import write
from textgen.network.cells.cell import Weights

__all__ = ["Bundle", "Manifest", "Weights", "read", "read_manifest", "write"]
