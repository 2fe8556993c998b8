"""The instruction sets that kernels are written for in assembler, one entry each.

Knows how each is assembled and how MicroPython takes it; must not know any kernel. To add a set, add
an entry here and a folder of sources beside the others.
"""

from typing import NamedTuple


class InstructionSet(NamedTuple):
    """One instruction set.

    Attributes:
        name: folder of its sources under firmware/assembler, and first part of its modules' names.
        title: what documents call it.
        tools: first part of the names of its compiler and binutils.
        flags: of the compiler.
        decorator: MicroPython's inline assembler, an attribute of `micropython`.
        arguments: the registers that the inline assembler passes arguments in, in order.
        arch: MicroPython's name of the architecture, where the code goes into a native module; "" where the inline
            assembler takes it.
        board: whose assembler's tables are those of the core; "" for the assembler's own.
    """

    name: str
    title: str
    tools: str
    flags: tuple[str, ...]
    decorator: str
    arguments: tuple[str, ...]
    arch: str = ""
    board: str = ""


_THUMB_REGISTERS = ("r0", "r1", "r2", "r3")
SETS = (
    InstructionSet(
        "thumb2", "ARMv7-M", "arm-none-eabi-", ("-mcpu=cortex-m3", "-mthumb"), "asm_thumb", _THUMB_REGISTERS
    ),
    InstructionSet("dsp", "ARMv7E-M", "arm-none-eabi-", ("-mcpu=cortex-m4", "-mthumb"), "asm_thumb", _THUMB_REGISTERS),
    InstructionSet(
        "rv32",
        "RV32IMC",
        "riscv64-unknown-elf-",
        ("-march=rv32imc", "-mabi=ilp32", "-mno-relax"),
        "asm_rv32",
        ("a0", "a1", "a2", "a3"),
    ),
    InstructionSet(
        "xtensa",
        "Xtensa LX6 and LX7",
        "xtensa-lx106-elf-",
        ("-mabi=windowed", "-mtext-section-literals", "-Wl,--no-relax"),
        "",
        (),
        arch="xtensawin",
        board="qemu-xtensa",
    ),
)
