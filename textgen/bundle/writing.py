"""Writing a bundle: each file and then the folder, atomically."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from textgen.bundle import tuned
from textgen.bundle.contents import Bundle
from textgen.errors import TrainingError
from textgen.experts.registry import to_arrays
from textgen.files import atomic
from textgen.files.bundle_files import COUNTS, LINES, MANIFEST, SPEC, TOKENIZER, WEIGHTS
from textgen.files.output_folder import Output
from textgen.files.ownership import discard


def write(path: Path, bundle: Bundle) -> None:
    """Write a bundle atomically: after a crash the folder holds the old bundle or the new one.

    Args:
        path: the bundle's folder. An earlier bundle there is replaced.
        bundle: what to write.

    Raises:
        TrainingError: the weights are not finite, the folder holds something else, or the disk refuses.
    """
    for name, array in bundle.weights.items():
        if not np.isfinite(array).all():
            raise TrainingError(f"the weights {name} are not finite; nothing was saved")
    output = Output.of(path)
    output.check()
    prepared = atomic.beside(output.place, "new")
    try:
        prepared.mkdir(parents=True)
        atomic.write_json(prepared / SPEC, bundle.spec.to_json())
        if bundle.base is None:
            atomic.write_json(prepared / TOKENIZER, bundle.tokenizer.to_json())
            weights: dict[str, npt.NDArray[np.floating]] = dict(bundle.weights)
        else:
            atomic.write_json(prepared / TOKENIZER, tuned.tokenizer_of(bundle.base.sha256))
            weights = dict(tuned.halved(bundle.weights))
        atomic.write_bytes(prepared / WEIGHTS, safetensors.numpy.save(weights))
        if bundle.experts:
            arrays = to_arrays(bundle.experts)
            atomic.write_bytes(prepared / COUNTS, safetensors.numpy.save(arrays))
        if bundle.known is not None:
            atomic.write_bytes(prepared / LINES, safetensors.numpy.save(bundle.known.to_arrays()))
        listing = {
            path.name: {"sha256": atomic.sha256(path), "bytes": path.stat().st_size}
            for path in sorted(prepared.iterdir())
        }
        atomic.write_json(
            prepared / MANIFEST, {"format": bundle.format, "files": listing, **asdict(bundle.manifest)}
        )
        output.put(prepared)
    except OSError as error:
        raise TrainingError(
            f"the bundle {path} cannot be written: {error.strerror}; nothing was changed"
        ) from None
    finally:
        discard(prepared)
