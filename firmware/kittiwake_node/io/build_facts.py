"""What decides whether a release is for this board: architecture, chip, MicroPython, and the keys that it trusts."""

import binascii
import hashlib
import json
import os
import sys

from ..errors import StorageError
from . import provisioned

sha256 = hashlib.sha256
_KEY_BYTES = 384
_KEYS_LIMIT = 4
# In the order of the numbers in sys.implementation._mpy >> 10, as mpy-cross names them.
_ARCHES = " x86 x64 armv6 armv6m armv7m armv7em armv7emsp armv7emdp xtensa xtensawin rv32imc rv64imc".split(" ")
_CORTEX_M = (4, 8)
# CPUID bits 4 to 15 -> the most that this core runs: MicroPython says armv7em for a Cortex-M3 as well (Arm DDI 0403).
_CORES = {0xC20: 4, 0xC60: 4, 0xC23: 5}


def arch():
    """The architecture that this board runs, as mpy-cross names it; "" for none."""
    number = getattr(sys.implementation, "_mpy", 0) >> 10 & 15
    if _CORTEX_M[0] <= number <= _CORTEX_M[1]:
        number = min(number, _CORES.get(_cpuid() >> 4 & 0xFFF, number))
    return _ARCHES[number] if number < len(_ARCHES) else ""


def machine():
    """What MicroPython says that it runs on: "Generic ESP32 module with ESP32"."""
    return getattr(sys.implementation, "_machine", "")


def partition():
    """esp32.Partition, where MicroPython's own image has two places.

    Raises:
        StorageError: this board has but one.
    """
    try:
        from esp32 import Partition

        Partition(Partition.RUNNING).get_next_update()
    except (ImportError, OSError):
        raise StorageError("image", "this board has no second place for MicroPython's image")
    return Partition


def version():
    """MicroPython's (major, minor)."""
    return sys.implementation.version[0], sys.implementation.version[1]


def objection(head, build, modulus, running):
    """Why a release is not for this board, before its signature is judged; "" when it may be.

    Args:
        head: manifest.Head of it.
        build: index of the board's build, below 0 for none.
        modulus: of the key that it names, b"" where the board does not trust it.
        running: counter of the release that runs.
    """
    if not modulus:
        return "it is signed by no key that this board trusts"
    if build < 0:
        return "it has no build for this board (%s, %s)" % (arch(), machine())
    if not head.oldest <= version() <= head.newest:
        return "it is for MicroPython %d.%d to %d.%d" % (head.oldest + head.newest)
    if head.counter == running:
        return "it runs already"
    if head.counter < running and not head.allows_downgrade:
        return "its counter is %d, and that of the release that runs is %d" % (head.counter, running)
    return ""


def key(name):
    """The modulus of a trusted key by its 8 bytes of name, b"" where there is none. Allocates.

    Raises:
        ConfigError: what was provisioned is damaged.
    """
    for modulus in keys():
        if sha256(modulus).digest()[:8] == name:
            return modulus
    return b""


def keys():
    """The moduli of the keys whose releases this board takes; none where none was provisioned. Allocates.

    Raises:
        ConfigError: what was provisioned is damaged.
    """
    path = provisioned.read().get("release", {}).get("keys_file", "")
    try:
        with open(path, "rb") as file:
            raw = file.read(_KEYS_LIMIT * _KEY_BYTES)
    except OSError:
        return []
    return [raw[at : at + _KEY_BYTES] for at in range(0, len(raw) - _KEY_BYTES + 1, _KEY_BYTES)]


def trust(raw):
    """Take releases of these keys from now on, and of no others: a cut at any point leaves the old ones or these.

    Args:
        raw: their moduli, one behind the other.

    Returns:
        The names of the keys, in hexadecimal.

    Raises:
        ConfigError: what was provisioned is damaged.
        OSError: of the medium; the old keys stand.
    """
    own = provisioned.read()
    path = "provision/release-" + binascii.hexlify(sha256(raw).digest()[:4]).decode()
    old = own.get("release", {}).get("keys_file", path)
    _write(path, raw)
    own.setdefault("release", {})["keys_file"] = path
    _write(provisioned.PATH + ".new", json.dumps(own).encode())
    os.rename(provisioned.PATH + ".new", provisioned.PATH)
    if old != path:
        try:
            os.remove(old)
        except OSError:
            pass  # nothing names it any more; the next provisioning removes it
    return [binascii.hexlify(sha256(modulus).digest()[:8]).decode() for modulus in keys()]


def _write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def _cpuid():
    try:
        import kwboard  # in the firmware of emulated boards only

        return kwboard.cpuid()
    except ImportError:
        pass
    try:
        from machine import mem32

        return mem32[0xE000ED00] & 0xFFFFFFFF
    except ImportError:
        return 0
