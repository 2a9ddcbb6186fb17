"""The differences between Keras' backends: settings before and after the import, devices, errors."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textgen.errors import TrainingError
from textgen.host import extras

_BFLOAT16_SINCE = 8.0
"""Compute capability of the first NVIDIA GPUs (Ampere) whose matrix units take bfloat16."""

# Errors of TensorFlow and torch. JAX, and torch on a CPU, raise a RuntimeError with one of the texts.
_OUT_OF_MEMORY = {"ResourceExhaustedError", "OutOfMemoryError"}
_SAID = ("resource_exhausted", "out of memory", "can't allocate memory", "bad_alloc")


_REASON_CHARACTERS = 200
_PACKAGES = ("tensorflow", "jax", "torch")

# Settings of other projects, in files and environment variables, that change the results or break the
# import. Without a folder Keras reads no keras.json.
_SET = {"KERAS_HOME": os.devnull}
_UNSET = (
    *("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED", "TF2_BEHAVIOR"),
    *("JAX_ENABLE_X64", "JAX_DEFAULT_DTYPE_BITS", "JAX_DISABLE_JIT", "JAX_DEBUG_NANS", "JAX_DEBUG_INFS"),
    *("JAX_NUMPY_DTYPE_PROMOTION", "JAX_NUMPY_RANK_PROMOTION", "JAX_CHECK_TRACER_LEAKS"),
    *("JAX_TRANSFER_GUARD", "JAX_DEFAULT_MATMUL_PRECISION"),
)
_XLA = ("XLA_FLAGS", "TF_XLA_FLAGS")
_TRIAL = {
    "tensorflow": "import tensorflow as t; t.function(lambda x: x + x, jit_compile=True)(t.constant(1.0))",
    "jax": "import jax; jax.jit(lambda x: x + x)(1.0)",
    "torch": "",
}
_LIBRARIES = ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")


COUNTS_ALONE = (
    "Keras is not installed, so the model is the counts alone; "
    f"to train a network that corrects them, {extras.how_to_add('train')}"
)
"""What a user should know about a training without Keras."""


def missing() -> str | None:
    """Return a package that a network needs and that is not installed; None if all are. Nothing is loaded.

    Raises:
        TrainingError: KERAS_BACKEND names an unknown backend, or one that is not installed.
    """
    loaded = sys.modules.get("keras")
    name = loaded.backend.backend() if loaded is not None else _wanted()
    if name not in _PACKAGES:
        which = "is loaded" if loaded is not None else "cannot be loaded"
        raise TrainingError(
            f"Keras {which} with the backend {name!r}; a training needs tensorflow, jax or torch: "
            "set KERAS_BACKEND to one of them"
        )
    if not extras.is_installed(name) and os.environ.get("KERAS_BACKEND"):
        raise TrainingError(
            f"Keras cannot be loaded with the backend {name!r}, which is not installed; "
            "KERAS_BACKEND can be tensorflow, jax or torch, if that is installed"
        )
    return next((package for package in ("keras", name) if not extras.is_installed(package)), None)


def require() -> None:
    """Check that a network can be trained, without loading anything.

    Raises:
        MissingPackageError: Keras or its backend is not installed.
        TrainingError: see `missing`.
    """
    package = missing()
    if package:
        extras.require(package, "training a network")


def load() -> None:
    """Import Keras with its backend, so that it takes no more GPU memory than it needs.

    Environment variables of the user are kept, except those that change the results. If Keras is loaded
    already, its backend is kept. ``keras.json`` is ignored.

    Raises:
        MissingPackageError: Keras or its backend is not installed.
        TrainingError: the backend cannot be loaded.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    require()
    if "keras" not in sys.modules:
        # Keras itself looks for TensorFlow alone.
        os.environ["KERAS_BACKEND"] = _wanted()
    _check_flags()
    try:
        with _own_environment(), _quiet_standard_error():
            _load_libraries()
            importlib.import_module("keras")
            device()
    except Exception as error:  # noqa: BLE001 -- native code raises errors of any type
        reason = " ".join(str(error).split())[:_REASON_CHARACTERS] or type(error).__name__
        raise TrainingError(
            f"Keras cannot be loaded with the backend {_wanted()!r} ({reason}); KERAS_BACKEND can be "
            "tensorflow, jax or torch, if that is installed"
        ) from None


@contextmanager
def standard_numbers() -> Iterator[None]:
    """Compute in 32-bit floats during the block, whatever settings the calling program gave Keras."""
    import keras

    config = keras.config
    before = config.floatx(), config.dtype_policy(), config.epsilon()
    config.set_floatx("float32")
    config.set_dtype_policy("float32")
    config.set_epsilon(1e-7)
    try:
        yield
    finally:
        config.set_floatx(before[0])
        config.set_dtype_policy(before[1])
        config.set_epsilon(before[2])


def _wanted() -> str:
    named = os.environ.get("KERAS_BACKEND")
    return named or next(filter(extras.is_installed, _PACKAGES), _PACKAGES[0])


@contextmanager
def _own_environment() -> Iterator[None]:
    kept = {name: os.environ.pop(name) for name in (*_SET, *_UNSET) if name in os.environ}
    os.environ.update(_SET)
    try:
        yield
    finally:
        for name in _SET:
            os.environ.pop(name, None)
        os.environ.update(kept)


def _check_flags() -> None:
    """Check that XLA accepts the flags in the environment: unknown flags make it end the process.

    Raises:
        TrainingError: XLA does not accept them.
    """
    given = [f"{name}={os.environ[name]}" for name in _XLA if os.environ.get(name)]
    if not given or "keras" in sys.modules:
        return
    tried = subprocess.run(
        [sys.executable, "-c", _TRIAL[_wanted()]], capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    if tried.returncode:
        raise TrainingError(
            f"XLA does not take {' '.join(given)[:_REASON_CHARACTERS]}; unset it, or correct it"
        )


def _load_libraries() -> None:
    """Load TensorFlow's large libraries without Python's lock, so that Ctrl-C works meanwhile."""
    found = importlib.util.find_spec("tensorflow") if _wanted() == "tensorflow" else None
    for folder in (found and found.submodule_search_locations) or []:
        for path in (Path(folder) / name for name in _LIBRARIES):
            if path.is_file():
                # Calls of foreign functions release the lock; ctypes' own loading does not.
                ctypes.CDLL(None).dlopen(os.fsencode(path), os.RTLD_NOW)


@contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """Discard the output of native code to standard error during the block.

    TensorFlow's libraries write a greeting there before they read their log settings, and complain if
    there is no GPU.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        kept = os.dup(2)
        held = os.open(os.devnull, os.O_WRONLY)
    except OSError:
        # Standard error is closed, so nothing can appear there.
        yield
        return
    try:
        os.dup2(held, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(held)


def _gpu() -> tuple[str, float] | None:
    """Return the name of the GPU that Keras uses, and its compute capability; None without a GPU."""
    import keras

    name = keras.backend.backend()
    if name == "tensorflow":
        config = importlib.import_module("tensorflow").config
        gpus = config.list_physical_devices("GPU")
        if gpus:
            details = config.experimental.get_device_details(gpus[0])
            capability = details.get("compute_capability", (0, 0))
            return details.get("device_name", "unknown"), float(capability[0])
    elif name == "jax":
        first = importlib.import_module("jax").devices()[0]
        if first.platform != "cpu":
            # NVIDIA's GPUs say "9.0". AMD's say "gfx90a" and others nothing; all of them support bfloat16.
            capability = getattr(first, "compute_capability", None) or ""
            known = capability.replace(".", "", 1).isdecimal()
            return first.device_kind, float(capability) if known else _BFLOAT16_SINCE
    elif name == "torch":
        cuda = importlib.import_module("torch").cuda
        if cuda.is_available():
            return cuda.get_device_name(0), float(cuda.get_device_capability(0)[0])
    return None


def device() -> str:
    """Return the device that Keras uses, for example "cpu" or "gpu (NVIDIA H100)"."""
    gpu = _gpu()
    return "cpu" if gpu is None else f"gpu ({gpu[0]})"


def device_megabytes() -> float | None:
    """Return the largest memory that was used on the GPU, in MB, or None without a GPU."""
    import keras

    if _gpu() is None:
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
    """Return whether an error of Python, NumPy or a backend is an out-of-memory error."""
    if isinstance(error, MemoryError) or type(error).__name__ in _OUT_OF_MEMORY:
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError | SystemError) and any(word in said for word in _SAID)


def jit_compile(*, worth_it: bool) -> bool:
    """Return the argument ``jit_compile`` for Keras' ``compile``.

    Only TensorFlow leaves a choice. On JAX a step that is not compiled dispatches every operation alone. On
    torch Keras' compiled step cannot change the carried state.

    Args:
        worth_it: whether the training is long enough for XLA on TensorFlow.
    """
    import keras

    return {"tensorflow": worth_it, "jax": True}.get(keras.backend.backend(), False)


def products() -> str:
    """Return the type for matrix products: "bfloat16" on GPUs that support it, else "float32"."""
    gpu = _gpu()
    return "bfloat16" if gpu is not None and gpu[1] >= _BFLOAT16_SINCE else "float32"
