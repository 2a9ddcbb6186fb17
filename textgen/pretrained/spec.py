"""The description of a pretrained network of Llama's family: bounded numbers from which all shapes follow.

The family (Touvron et al. 2023): RMSNorm before each block (Zhang and Sennrich 2019), rotary positions (Su et
al. 2021), queries that share keys and values in groups (Ainslie et al. 2023), and SwiGLU (Shazeer 2020).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from textgen.argument_checks import check_number, shown
from textgen.errors import BundleError

MAXIMUM_PARAMETERS = 4_000_000_000

KERNELS = ("query", "key", "value", "attention_output", "gate", "up", "down")
"""The matrices of a layer. A fine-tuning can add a low-rank change to each of them."""

_BOUNDS = {
    "vocabulary": (2, 1_000_000),
    "layers": (1, 256),
    "width": (2, 65_536),
    "heads": (1, 1_024),
    "key_value_heads": (1, 1_024),
    "inner": (1, 262_144),
    "context": (2, 10_000_000),
}


@dataclass(frozen=True, slots=True)
class LlamaSpec:
    """Sizes of a network of Llama's family.

    Attributes:
        vocabulary: number of tokens.
        layers: number of layers; each has an attention and a multilayer perceptron.
        width: size of a token's vector.
        heads: number of query heads; ``width`` is a multiple of twice this number.
        key_value_heads: number of key and value heads; ``heads`` is a multiple of it.
        inner: width of the multilayer perceptrons.
        context: number of tokens that the base was trained to see at once.
        rope_base: base of the rotary frequencies.
        rms_epsilon: added to the mean square in RMSNorm.
        tied: whether the output layer is the embedding.
        rope_factors: each rotary frequency is divided by its factor, shape (head size / 2,); empty for 1.
            Llama 3.1 and later stretch their context in this way.

    Raises:
        BundleError: a value lies outside its bounds, or the values do not fit together.
    """

    vocabulary: int
    layers: int
    width: int
    heads: int
    key_value_heads: int
    inner: int
    context: int
    rope_base: float = 10_000.0
    rms_epsilon: float = 1e-5
    tied: bool = False
    rope_factors: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check every bound."""
        for name, (low, high) in _BOUNDS.items():
            check_number(name, getattr(self, name), low, high, error=BundleError)
        for name, least, most in (("rope_base", 1.0, 1e12), ("rms_epsilon", 1e-12, 1.0)):
            number = getattr(self, name)
            if not isinstance(number, float) or not least <= number <= most:
                raise BundleError(
                    f"{name} is {shown(number)}; it must be a number from {least:g} to {most:g}"
                )
        if not isinstance(self.tied, bool):
            raise BundleError(f"tied is {shown(self.tied)}; it must be true or false")
        if self.width % (2 * self.heads):
            raise BundleError(f"width is {self.width}; it must be a multiple of twice the {self.heads} heads")
        if self.heads % self.key_value_heads:
            raise BundleError(
                f"heads is {self.heads}; it must be a multiple of key_value_heads ({self.key_value_heads})"
            )
        factors = self.rope_factors
        if not isinstance(factors, tuple) or len(factors) not in (0, self.head // 2):
            raise BundleError(
                f"rope_factors is {shown(factors)}; it must hold {self.head // 2} numbers or none"
            )
        if not all(isinstance(factor, float) and 1e-3 <= factor <= 1e6 for factor in factors):
            raise BundleError(
                f"rope_factors is {shown(factors)}; each must be a number from 0.001 to 1,000,000"
            )
        if self.parameters > MAXIMUM_PARAMETERS:
            raise BundleError(
                f"this base has {self.parameters:,} parameters; at most {MAXIMUM_PARAMETERS:,} are read"
            )

    @property
    def head(self) -> int:
        """Size of a head's vectors."""
        return self.width // self.heads

    @property
    def parameters(self) -> int:
        """Number of numbers in all weights."""
        return sum(math.prod(shape) for shape in self.shapes().values())

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return each weight's name and shape, in the order of the network.

        Kernels are (outputs, inputs), as in the published files: a row holds all weights of one output. Their
        names are ``layer0.query`` to ``layer{n}.down`` (see `KERNELS`). ``embedding`` and ``output`` are
        (vocabulary, width); ``output`` is absent where it is tied. Norms have shape (width,).
        """
        keys = self.key_value_heads * self.head
        shapes: dict[str, tuple[int, ...]] = {"embedding": (self.vocabulary, self.width)}
        for n in range(self.layers):
            shapes |= {
                f"layer{n}.attention_norm": (self.width,),
                f"layer{n}.query": (self.width, self.width),
                f"layer{n}.key": (keys, self.width),
                f"layer{n}.value": (keys, self.width),
                f"layer{n}.attention_output": (self.width, self.width),
                f"layer{n}.mlp_norm": (self.width,),
                f"layer{n}.gate": (self.inner, self.width),
                f"layer{n}.up": (self.inner, self.width),
                f"layer{n}.down": (self.width, self.inner),
            }
        shapes["norm"] = (self.width,)
        if not self.tied:
            shapes["output"] = (self.vocabulary, self.width)
        return shapes

    def frequencies(self) -> list[float]:
        """Return the angle in radians by which each pair of a head turns from one position to the next.

        Shape (head size / 2,). Pair i consists of the components i and i + head size / 2, as in the published
        safetensors files (GGUF has them side by side; reading restores this order).
        """
        half = self.head // 2
        factors = self.rope_factors or (1.0,) * half
        return [self.rope_base ** (-i / half) / factor for i, factor in enumerate(factors)]

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON data."""
        return dataclasses.asdict(self) | {"rope_factors": list(self.rope_factors)}

    @classmethod
    def from_json(cls, data: Any) -> LlamaSpec:
        """Return the spec that `to_json` described.

        Raises:
            BundleError: the data has other keys, or values outside their bounds.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(data, dict) or not set(data) <= names:
            unknown = sorted(set(data) - names) if isinstance(data, dict) else type(data).__name__
            raise BundleError(
                f"the base's spec holds {shown(unknown)}; it can hold {', '.join(sorted(names))}"
            )
        factors = data.get("rope_factors", [])
        if not isinstance(factors, list):
            raise BundleError(f"rope_factors is {shown(factors)}; it must be a list")
        needed = {field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING}
        if lacking := sorted(needed - data.keys()):
            raise BundleError(f"the base's spec lacks {', '.join(lacking)}")
        return cls(**{**data, "rope_factors": tuple(factors)})
