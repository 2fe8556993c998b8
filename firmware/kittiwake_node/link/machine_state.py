"""Payload of a machine's state, which a network told (docs/spec/record.md).

As in payload.py; apart from it, since boards that tell no states have no memory to spare for what only these need.
"""

import struct

from ..errors import FrameError
from .payload import text_of, unpack

if False:  # for mypy alone
    from kittiwake_types import State

_STATE = "<IHIHBBB"


def pack_state(name: str, previous: str, score: int, index: int, lasted: int) -> bytes:
    """A machine's state changed.

    Args:
        name: of the state, up to 31 bytes of UTF-8.
        previous: of the one before it; "" for none.
        score: what the network gives it, a probability in 256ths, 0 to 255.
        index: samples of the channel since boot up to the last one that the decision needed, below 2^48.
        lasted: samples from the decision for the previous state to this one; 0 where there is none.
    """
    names = name.encode(), previous.encode()
    places = index & 0xFFFFFFFF, index >> 32, lasted & 0xFFFFFFFF, lasted >> 32
    return struct.pack(_STATE, *places, score, len(names[0]), len(names[1])) + names[0] + names[1]


def unpack_state(payload: bytes) -> "State":
    """The dict behind `pack_state`: name, previous, score, index, lasted."""
    v = unpack(_STATE, payload)
    start = struct.calcsize(_STATE)
    middle = start + v[5]
    if not v[5] or len(payload) < middle + v[6]:
        raise FrameError("payload-short", "names of %d and %d bytes" % (v[5], v[6]))
    return {
        "name": text_of(payload[start:middle]),
        "previous": text_of(payload[middle : middle + v[6]]),
        "score": v[4],
        "index": v[1] << 32 | v[0],
        "lasted": v[3] << 32 | v[2],
    }
