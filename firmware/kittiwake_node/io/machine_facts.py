"""What the machine says of itself: memory, identity, why it started, randomness."""

import gc
import hashlib
import os
import sys

RESET_UNKNOWN = 0


def heap_free():
    """Free heap in bytes, after collecting."""
    gc.collect()
    return gc.mem_free()


def random_u64():
    """64 bits for a journal's id."""
    return int.from_bytes(os.urandom(8), "little")


def reset_cause():
    """`machine.reset_cause()` where the port has it, else 0."""
    try:
        from machine import reset_cause as cause
    except ImportError:
        return RESET_UNKNOWN
    return cause()


def firmware():
    """One line: MicroPython's version and the machine it was built for."""
    implementation = sys.implementation
    version = ".".join([str(part) for part in implementation.version[:3]])
    return "micropython %s on %s" % (version, implementation._machine)


def digest(data):
    """32 bytes that name `data`: its SHA-256."""
    return hashlib.sha256(data).digest()


def read_secret(path):
    """A password from its file, without the line's end; "" for no file.

    Raises:
        OSError: it is not there.
    """
    if not path:
        return ""
    with open(path) as file:
        return file.read().rstrip("\r\n")
