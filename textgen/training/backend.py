"""The one place that knows Keras' backends apart: what must be set before and after its import."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def load() -> None:
    """Import Keras with its backend, set up so that it takes no more GPU memory than it needs.

    Environment variables that are already set win.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    with _quiet_standard_error():
        importlib.import_module("keras")
        device()


@contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """Hold back what native code writes to standard error; let it out if the block fails.

    TensorFlow's libraries greet there before any of their log settings is read, and complain where
    there is no GPU.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def device() -> str:
    """Return what Keras computes on, as "cpu" or "gpu (NVIDIA H100)"."""
    import keras

    name = keras.backend.backend()
    if name == "tensorflow":
        tensorflow = importlib.import_module("tensorflow")
        gpus = tensorflow.config.list_physical_devices("GPU")
        if gpus:
            details = tensorflow.config.experimental.get_device_details(gpus[0])
            return f"gpu ({details.get('device_name', 'unknown')})"
    elif name == "jax":
        first = importlib.import_module("jax").devices()[0]
        if first.platform != "cpu":
            return f"gpu ({first.device_kind})"
    elif name == "torch":
        torch = importlib.import_module("torch")
        if torch.cuda.is_available():
            return f"gpu ({torch.cuda.get_device_name(0)})"
    return "cpu"
