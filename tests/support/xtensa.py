"""Functions in Xtensa assembler, callable from Python on the emulated core: assembled here, put into a compiled module.

Knows the assembler, and where a compiled viper function's machine code lies in its .mpy; not what a function does.
"""

import os
import subprocess
from pathlib import Path

from kittiwake.target import images, mpy

_VIPER = 2  # the kind of code, in the lowest bits of its length; bit 2 would tell of functions within
_JUMP = 6  # the lowest 6 bits of J, with which compiled functions begin: over their literals
# Any viper function, as long as the longest that is put in its place.
_TEMPLATE = "@micropython.viper\ndef {name}(a, b, c) -> int:\n    x = int(len(a))\n{body}    return x\n"
_LONGER = "    x = (x << 3) ^ (x >> 2)\n" * 20
_START = """
    .text
    j 1f
    .literal_position
    .align 4
1:
"""


def assemble(source: str, folder: Path) -> bytes:
    """Assemble and link one function for the emulated core.

    Args:
        source: GNU assembler; its first instruction is ENTRY. It is called as MicroPython calls native functions: a2
            the function, a3 the number of arguments, a5 where they are, as objects; the result is an object, too.
        folder: for what is made on the way.

    Returns:
        Machine code that runs at any address that is a multiple of 4.
    """
    facts = images.image(images.boards()["qemu-xtensa"]).facts
    environment = dict(os.environ, XTENSA_GNU_CONFIG=facts["XTENSA_PLUGIN"])
    (folder / "code.s").write_text(_START + source)
    for command in (
        ["as", "--text-section-literals", "-o", "code.o", "code.s"],
        ["ld", "-e", "0", "-Ttext", "0", "-o", "code.elf", "code.o"],
        ["objcopy", "-O", "binary", "-j", ".text", "code.elf", "code.bin"],
    ):
        program = f"xtensa-lx106-elf-{command[0]}"
        done = subprocess.run([program, *command[1:]], cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{program}: {done.stderr}"
    return (folder / "code.bin").read_bytes()


def module(name: str, code: bytes) -> bytes:
    """Make a module (.mpy) with one function of three arguments, whose machine code is this.

    Args:
        name: of the function.
        code: as `assemble` gives it.

    Returns:
        What a file `MODULE.mpy` holds.
    """
    source = _TEMPLATE.format(name=name, body=_LONGER).encode()
    compiled = mpy.compile_files({"template.py": source}, "xtensawin")["template.mpy"]
    at, size = _native_code(compiled)
    assert len(code) <= size, f"{len(code)} bytes of code, the template has {size}"
    return compiled[:at] + code.ljust(size, b"\0") + compiled[at + size :]


def _native_code(compiled: bytes) -> tuple[int, int]:
    """(offset, length) of the viper function's machine code: a number says so, a byte of flags ends the file."""
    found = []
    for at in range(2, len(compiled)):
        high, low = compiled[at - 2], compiled[at - 1]
        number = (high & 0x7F) << 7 | low
        begins = compiled[at] & 0x3F == _JUMP and high & 0x80 and not low & 0x80 and number & 7 == _VIPER
        if begins and at + (number >> 3) == len(compiled) - 1:
            found.append((at, number >> 3))
    assert len(found) == 1, found
    return found[0]
