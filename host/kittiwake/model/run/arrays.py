"""Inputs and outputs as .npy files: raw bytes in the model's own types.

Knows numpy's files and a tensor's shape; nothing of targets.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.model.read.graph import Tensor

_NEEDS = "install kittiwake[model]"


def load(path: Path, tensor: Tensor) -> list[bytes]:
    """Read inputs.

    Args:
        path: of an array of shape (k, *tensor.shape), in the tensor's type.
        tensor: the model's input.

    Returns:
        The k inputs.

    Raises:
        ConfigError: the file is none, or of another shape or type.
    """
    _require_numpy()
    import numpy

    try:
        array = numpy.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        why = getattr(error, "strerror", None) or "it is no .npy file"
        raise ConfigError(f"{path} cannot be read: {why}", "save one with numpy.save") from error
    if not hasattr(array, "dtype") or array.dtype.name != tensor.type or array.shape[1:] != tensor.shape:
        content = f"{getattr(array, 'dtype', 'several arrays')}{list(getattr(array, 'shape', ()))}"
        raise ConfigError(f"{path} holds {content}, the model takes {tensor.type}[k, {str(list(tensor.shape))[1:-1]}]")
    if not len(array):
        raise ConfigError(f"{path} holds no inputs", "give at least one")
    return [row.tobytes() for row in array]


def save(path: Path, outputs: list[bytes], tensor: Tensor) -> None:
    """Write outputs.

    Args:
        path: of the file.
        outputs: raw bytes, one an invoke.
        tensor: the model's output.

    Raises:
        KittiwakeError: it cannot be written.
    """
    _require_numpy()
    import numpy

    array = numpy.frombuffer(b"".join(outputs), tensor.type).reshape((len(outputs), *tensor.shape))
    try:
        with open(path, "wb") as file:
            numpy.save(file, array)
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be written: {error.strerror}", "name another place") from error


def _require_numpy() -> None:
    if find_spec("numpy") is None:
        raise KittiwakeError("numpy is not there", _NEEDS)
