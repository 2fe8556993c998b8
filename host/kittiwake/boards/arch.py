"""Architectures: what MicroPython and mpy-cross call them, and which kernels each runs. The one table of both.

Knows names and numbers; no file and no board. Source: MicroPython reference, ".mpy files"; Arm DDI 0403 (CPUID).
"""

from __future__ import annotations

# In the order of the numbers in sys.implementation._mpy >> 10 and in a file with native code; "" has none.
NAMES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc", "rv64imc"),
)
# Each of these runs what those before it run.
CORTEX_M = ("armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")
# CPUID bits 4 to 15 -> the most that this core can run. MicroPython says armv7em for an M3 as well.
CORES = {0xC20: "armv6m", 0xC60: "armv6m", 0xC23: "armv7m", 0xC24: "armv7em", 0xC27: "armv7em", 0xD21: "armv7em"}

# Kernels in assembler, and the architectures that run them. All others run `plain` and, with native code, `viper`.
ASSEMBLERS = {
    "thumb2": ("armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    "rv32": ("rv32imc",),
    "dsp": ("armv7em", "armv7emsp", "armv7emdp"),
}
# Kernels that differ from another set in the dense layers of networks alone.
FOR_NETWORKS = {"dsp": "thumb2"}
# Prefixes of kernels' files that only these architectures take; those of sets to come as well.
FILES_ONLY_FOR = {**ASSEMBLERS, "xtensa": ("xtensawin",)}


def name_of(mpy: int) -> str | None:
    """Name the architecture of a board's native code.

    Args:
        mpy: its `sys.implementation._mpy`.

    Returns:
        One of NAMES; None for a number that is not among them.
    """
    number = mpy >> 10 & 0x0F
    return NAMES[number] if number < len(NAMES) else None


def kernels_of(arch: str | None) -> list[str]:
    """List the kernels of detectors that an architecture runs, the readable definition first, the fastest last.

    Args:
        arch: one of NAMES; None where it is not known.
    """
    return ["plain", "viper", *(s for s, archs in ASSEMBLERS.items() if arch in archs and s not in FOR_NETWORKS)]


def fastest_for_networks(arch: str | None) -> str:
    """Name the kernels that run a network fastest.

    Args:
        arch: one of NAMES; None where it is not known.
    """
    special = [name for name in FOR_NETWORKS if arch in ASSEMBLERS[name]]
    return (special or kernels_of(arch))[-1]
