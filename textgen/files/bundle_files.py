"""The names of a bundle's files and the number of its format; the whole project takes them from here."""

FORMAT = 4
"""The newest bundle format that this version reads: texts are drawn by newer rules."""

SEVERAL_EXPERTS = 3
"""The format of a network that mixes several counted models."""

FIRST_FORMAT = 2
"""The oldest one. A bundle with one counted model or none is written in it."""

SPEC, TOKENIZER, WEIGHTS, MANIFEST = "spec.json", "tokenizer.json", "weights.safetensors", "manifest.json"
COUNTS, LINES = "counts.safetensors", "lines.safetensors"

NEWEST_SAMPLING = 2
"""The newest version of the rules by which texts are drawn (`textgen.bundle.manifest.Manifest`)."""

PICTURE = "loss.png"
"""The loss curve as a picture, which a training can put beside the model. Readers of a bundle ignore it."""

NEEDED = (MANIFEST, SPEC, TOKENIZER, WEIGHTS)
"""The files of every bundle."""

OF_A_BUNDLE = frozenset({*NEEDED, COUNTS, LINES, PICTURE})
"""The files that a bundle can have."""
