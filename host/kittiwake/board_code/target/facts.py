"""What a board is."""

import gc
import json
import sys


def _cpuid(mpy):
    """The Cortex-M's register, 0 on other processors."""
    try:
        import kwboard

        return kwboard.cpuid()
    except ImportError:
        pass
    if 3 <= mpy >> 10 & 15 <= 8:
        try:
            from machine import mem32

            return mem32[0xE000ED00] & 0xFFFFFFFF
        except ImportError:
            pass
    return 0


def _clock_hz():
    try:
        from machine import freq

        hz = freq()
        return hz[0] if isinstance(hz, tuple) else hz
    except ImportError:
        return 0


def print_facts():
    """Print implementation, `sys.implementation._mpy`, machine, free heap in bytes, CPUID and clock in Hz, as JSON."""
    gc.collect()
    mpy = getattr(sys.implementation, "_mpy", 0)
    version = "micropython " + ".".join([str(part) for part in sys.implementation.version[:3]])
    machine = getattr(sys.implementation, "_machine", "")
    print(json.dumps([version, mpy, machine, gc.mem_free(), _cpuid(mpy), _clock_hz()]))
