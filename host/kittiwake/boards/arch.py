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
    "xtensa": ("xtensawin",),
}
# Kernels that not every chip of their architecture runs: the names of those that do, and how such names begin. The
# ESP32-S2 shares the architecture, and has neither the loops nor the 16-bit multiplier of the ESP32 and the ESP32-S3.
# Source: core-isa.h of each chip in ESP-IDF, components/xtensa; names: MICROPY_HW_MCU_NAME of MicroPython's boards.
_CHIPS = {"xtensa": ("ESP32", "ESP32-D2WD", "ESP32-UNICORE", "Xtensa LX6")}
_FAMILIES = {"xtensa": ("ESP32-PICO-", "ESP32-S3")}
# Kernels that differ from another set in the dense layers of networks alone.
FOR_NETWORKS = {"dsp": "thumb2"}


def name_of(mpy: int) -> str | None:
    """Name the architecture of a board's native code.

    Args:
        mpy: its `sys.implementation._mpy`.

    Returns:
        One of NAMES; None for a number that is not among them.
    """
    number = mpy >> 10 & 0x0F
    return NAMES[number] if number < len(NAMES) else None


def runs(kernels: str, arch: str | None, machine: str = "") -> bool:
    """Tell whether a board runs a set of kernels in assembler.

    Args:
        kernels: one of ASSEMBLERS.
        arch: one of NAMES; None where it is not known.
        machine: what MicroPython says that it runs on, "Generic ESP32S3 module with ESP32-S3", or the chip alone; ""
            where it is not known.
    """
    if arch not in ASSEMBLERS[kernels]:
        return False
    chip = machine.rpartition(" with ")[2]
    return kernels not in _CHIPS or chip in _CHIPS[kernels] or chip.startswith(_FAMILIES[kernels])


def has_partitions(arch: str | None, machine: str = "") -> bool:
    """Tell whether a board may have two partitions for MicroPython's image: an ESP32.

    Args:
        arch: one of NAMES; None where it is not known.
        machine: as of `runs`.
    """
    chip = machine.rpartition(" with ")[2]
    return arch in ("xtensawin", "rv32imc") and (not machine or chip.startswith("ESP32"))


def kernels_of(arch: str | None, machine: str = "") -> list[str]:
    """List the kernels of detectors that a board runs, the readable definition first, the fastest last.

    Args:
        arch: one of NAMES; None where it is not known.
        machine: as of `runs`.
    """
    special = (name for name in ASSEMBLERS if name not in FOR_NETWORKS and runs(name, arch, machine))
    return ["plain", "viper", *special]


def fastest_for_networks(arch: str | None, machine: str = "") -> str:
    """Name the kernels that run a network fastest.

    Args:
        arch: one of NAMES; None where it is not known.
        machine: as of `runs`.
    """
    special = [name for name in FOR_NETWORKS if runs(name, arch, machine)]
    return (special or kernels_of(arch, machine))[-1]
