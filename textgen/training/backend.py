"""The one place that knows Keras' backends apart: what must be set before and after its import."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from textgen.errors import TrainingError

_BFLOAT16_SINCE = 8.0
"""Compute capability of the first NVIDIA GPUs (Ampere) whose matrix units take bfloat16."""

# TensorFlow's and torch's; JAX and torch on a processor say it in a RuntimeError.
_OUT_OF_MEMORY = {"ResourceExhaustedError", "OutOfMemoryError"}
_SAID = ("resource_exhausted", "out of memory", "can't allocate memory", "bad_alloc")


def load() -> None:
    """Import Keras with its backend, set up so that it takes no more GPU memory than it needs.

    Environment variables that are already set win.

    Raises:
        TrainingError: the backend that KERAS_BACKEND names is not installed, or there is none of this name.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    try:
        with _quiet_standard_error():
            importlib.import_module("keras")
            device()
    except (ImportError, ValueError) as error:
        wanted = os.environ.get("KERAS_BACKEND", "tensorflow")
        raise TrainingError(
            f"Keras cannot be loaded with the backend {wanted!r} ({error}); KERAS_BACKEND can be "
            "tensorflow, jax or torch, if that is installed"
        ) from None


@contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """Hold back what native code writes to standard error; let it out if the block fails unexpectedly.

    TensorFlow's libraries greet there before any of their log settings is read, and complain where
    there is no GPU.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except (ImportError, ValueError):
            raise
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


def device_megabytes() -> float | None:
    """Return the largest memory that was taken on the GPU, in MB, or None without one."""
    import keras

    if device() == "cpu":
        return None
    name = keras.backend.backend()
    taken = 0
    if name == "tensorflow":
        experimental = importlib.import_module("tensorflow").config.experimental
        taken = experimental.get_memory_info("GPU:0")["peak"]
    elif name == "jax":
        taken = (importlib.import_module("jax").devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
    elif name == "torch":
        taken = importlib.import_module("torch").cuda.max_memory_allocated()
    return round(taken / (1 << 20), 1)


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error of Python, NumPy or a backend says that there is no more memory."""
    if isinstance(error, MemoryError) or type(error).__name__ in _OUT_OF_MEMORY:
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError | SystemError) and any(word in said for word in _SAID)


def jit_compile(*, worth_it: bool) -> bool:
    """Return what to compile a model with.

    On JAX a step that is not compiled would dispatch every operation on its own, and on torch Keras'
    compiled step cannot change the carried state; so only TensorFlow leaves a choice.

    Args:
        worth_it: whether the training is so long that XLA pays on TensorFlow.
    """
    import keras

    return {"tensorflow": worth_it, "jax": True}.get(keras.backend.backend(), False)


def products() -> str:
    """Return in what to compute matrix products: "bfloat16" on GPUs made for it, or "float32"."""
    import keras

    name = keras.backend.backend()
    capability = 0.0
    if device() == "cpu":
        return "float32"
    if name == "tensorflow":
        config = importlib.import_module("tensorflow").config
        details = config.experimental.get_device_details(config.list_physical_devices("GPU")[0])
        capability = float(details.get("compute_capability", (0, 0))[0])
    elif name == "jax":
        first = importlib.import_module("jax").devices()[0]
        # Other makers' accelerators tell none, and all that JAX runs on know bfloat16.
        capability = float(getattr(first, "compute_capability", None) or _BFLOAT16_SINCE)
    elif name == "torch":
        capability = float(importlib.import_module("torch").cuda.get_device_capability(0)[0])
    return "bfloat16" if capability >= _BFLOAT16_SINCE else "float32"
