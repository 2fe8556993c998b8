"""What the machine says of itself: memory, identity, why it started, randomness."""

import binascii
import gc
import hashlib
import os
import sys

from . import watchdog

RESET_UNKNOWN = 0
RESTART_STATUS = 75
_RESET_CAUSES = (
    ("PWRON_RESET", "power on"),
    ("HARD_RESET", "hard reset"),
    ("WDT_RESET", "watchdog"),
    ("DEEPSLEEP_RESET", "deep sleep"),
    ("SOFT_RESET", "soft reset"),
    ("BROWNOUT_RESET", "brown-out"),
)


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


def reset_cause_name():
    """The same in words, "unknown" where the port does not say; its numbers differ from port to port."""
    try:
        import machine

        number = machine.reset_cause()
    except (ImportError, AttributeError):
        return "unknown"
    for name, words in _RESET_CAUSES:
        if getattr(machine, name, None) == number:
            return words
    return "unknown"


def unique_id():
    """The chip's own number in hex, "" where it has none."""
    try:
        from machine import unique_id as number
    except ImportError:
        return ""
    return binascii.hexlify(number()).decode()


def restart():
    """Start the board again; where the port cannot, the process ends, and says by RESTART_STATUS what it is for."""
    try:
        from machine import reset
    except ImportError:
        sys.exit(RESTART_STATUS)
    reset()


def start_watchdog(timeout_s):
    """See watchdog.start."""
    return watchdog.start(timeout_s)


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
