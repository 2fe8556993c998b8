"""Inputs and outputs as .npy files: raw bytes in the model's own types.

Knows numpy's files and a tensor's shape; nothing of targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from kittiwake.errors import ConfigError, KittiwakeError, UsageError
from kittiwake.model.read.ends import End, join, split
from kittiwake.model.read.graph import Tensor

_NEEDS = "install kittiwake[model]"


def load_all(paths: Sequence[Path], ends: Sequence[End]) -> list[bytes]:
    """Read the inputs of every end.

    Args:
        paths: of a file an input, in the model's order.
        ends: the model's inputs.

    Returns:
        The inputs of each invoke, joined.

    Raises:
        ConfigError: as of `load`, or there are more files or rows for one input than for another.
    """
    _require_a_file_each(paths, ends, "--input")
    rows = [load(path, end.tensor) for path, end in zip(paths, ends, strict=True)]
    if len({len(some) for some in rows}) > 1:
        counts = ", ".join(f"{path} {len(some)}" for path, some in zip(paths, rows, strict=True))
        raise ConfigError(f"the inputs differ in their rows: {counts}", "give as many of each")
    return [join(parts, ends) for parts in zip(*rows, strict=True)]


def save_all(paths: Sequence[Path], outputs: Sequence[bytes], ends: Sequence[End]) -> None:
    """Write the outputs of every end.

    Args:
        paths: of a file an output, in the model's order.
        outputs: those of each invoke, joined.
        ends: the model's outputs.

    Raises:
        KittiwakeError: as of `save`.
    """
    parts = [split(output, ends) for output in outputs]
    for number, (path, end) in enumerate(zip(paths, ends, strict=True)):
        save(path, [part[number] for part in parts], end.tensor)


def require_files_for(paths: Sequence[Path], ends: Sequence[End]) -> None:
    """Make sure, before anything runs, that there is a file to write for every output.

    Args:
        paths: of the files.
        ends: the model's outputs.

    Raises:
        UsageError: there are more or fewer.
    """
    _require_a_file_each(paths, ends, "--output")


def _require_a_file_each(paths: Sequence[Path], ends: Sequence[End], option: str) -> None:
    if len(paths) != len(ends):
        names = ", ".join(end.tensor.name for end in ends)
        raise UsageError(f"{option} stands {len(paths)} times, the model has {len(ends)}: {names}", "give one for each")


def load(path: Path, tensor: Tensor) -> list[bytes]:
    """Read inputs.

    Args:
        path: of an array of shape (k, *tensor.shape), in the tensor's type; a batch of 1 may be left out.
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
    shapes = (tensor.shape, tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape)
    if not hasattr(array, "dtype") or array.dtype.name != tensor.type or array.shape[1:] not in shapes:
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
