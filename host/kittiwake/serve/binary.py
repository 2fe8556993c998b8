"""Tensors as bytes behind the JSON of a request or reply: the open inference protocol's binary data extension.

Little-endian, row by row; a text is its length in four bytes and its UTF-8.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kittiwake.serve.exchange import Reply
from kittiwake.serve.tensors import DTYPES, Array, BadInput
from kittiwake.serve.tensors import to_array as of_scalars

_HEADER = b"inference-header-content-length"


def split(body: bytes, headers: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
    """Part a body.

    Args:
        body: of a request.
        headers: its, in lower case.

    Returns:
        (the JSON, the bytes behind it).

    Raises:
        BadInput: the header that says where they part is no such number.
    """
    text = headers.get(_HEADER)
    if text is None:
        return body, b""
    if not text.isdigit() or len(text) > 12 or int(text) > len(body):
        raise BadInput("Inference-Header-Content-Length is no length within the body")
    return body[: int(text)], body[int(text) :]


def size_of(tensor: Mapping[str, Any]) -> int | None:
    """Bytes that a tensor has behind the JSON; None for one within it.

    Args:
        tensor: of a request.

    Raises:
        BadInput: the size is none.
    """
    parameters = tensor.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is not None and (type(size) is not int or size < 0):
        raise BadInput("binary_data_size is no size")
    return size


def to_array(raw: bytes, size: int, shape: Sequence[int], datatype: str, name: str) -> Array:
    """Make a tensor of bytes.

    Args:
        raw: its bytes, as many as there are.
        size: as many as there should be.
        shape: of the tensor.
        datatype: a key of DTYPES.
        name: of the input, for messages.

    Returns:
        The tensor.

    Raises:
        BadInput: there are too few or too many bytes, or they hold what JSON could not.
    """
    if len(raw) != size:
        raise BadInput(f"input {name!r} has {size} bytes; {len(raw)} are there")
    if datatype == "BYTES":
        return of_scalars(_texts(raw, name), shape, datatype, name)
    dtype = DTYPES[datatype].newbyteorder("<")
    values = int(np.prod(shape, dtype=object))
    if size != values * dtype.itemsize:
        raise BadInput(f"input {name!r} has {size} bytes; its shape {list(shape)} takes {values * dtype.itemsize}")
    if datatype == "BOOL" and raw.translate(None, b"\0\1"):
        raise BadInput(f"input {name!r} is BOOL; it has a byte that is neither 0 nor 1")
    array = np.frombuffer(raw, dtype).reshape(shape).astype(DTYPES[datatype])
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise BadInput(f"input {name!r} has a value that is no finite number")
    return array


def _texts(raw: bytes, name: str) -> list[str]:
    texts, at = [], 0
    while at < len(raw):
        (length,) = struct.unpack_from("<I", raw, at) if at + 4 <= len(raw) else (len(raw),)
        text = raw[at + 4 : at + 4 + length]
        if len(text) != length:
            raise BadInput(f"input {name!r} ends within a text")
        try:
            texts.append(text.decode())
        except UnicodeDecodeError:
            raise BadInput(f"input {name!r} has a text that is no UTF-8") from None
        at += 4 + length
    return texts


def to_bytes(values: Array) -> bytes:
    """Write a tensor as bytes.

    Args:
        values: the tensor.
    """
    if values.dtype.kind in "OU":
        texts = [str(text).encode() for text in values.reshape(-1)]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return values.astype(values.dtype.newbyteorder("<")).tobytes()


def join(reply: Reply, tail: bytes) -> Reply:
    """Put bytes behind a reply's JSON.

    Args:
        reply: of JSON.
        tail: the bytes.
    """
    length = (b"inference-header-content-length", b"%d" % len(reply.body))
    return Reply(reply.status, reply.body + tail, b"application/octet-stream", (length,))
