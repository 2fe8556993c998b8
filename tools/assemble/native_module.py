"""The precompiled module that MicroPython loads: machine code as native functions, for sets without inline assembler.

Knows MicroPython's format of .mpy files; must not run an assembler. A stock image for ESP32 loads native functions, and
takes a function of the inline assembler in a .mpy for bytecode: py/emitglue.c, where MICROPY_EMIT_INLINE_ASM is 0.

mpy-cross makes the module around the functions, of empty ones by the same names. There is no data beside the code and
no address in it, so that the loader relocates nothing and the collector has nothing to keep.
"""

import hashlib
from collections.abc import Iterable, Mapping

from kittiwake.target import images, mpy
from tools.assemble.machine_code import Function
from tools.assemble.source import Source, SourceError, digest

_HEADER_BYTES = 4
# The lowest bits of a function's length: its kind, and whether there are functions within it.
_KIND, _BYTECODE, _NATIVE, _HAS_CHILDREN = 3, 0, 2, 4
_FUNCTION = "@micropython.viper\ndef {name}():\n    pass\n"


def render(source: Source, functions: Mapping[str, Function]) -> bytes:
    """Write the module of a source.

    Args:
        source: that was assembled.
        functions: its machine code, as `machine_code.assemble` gives it.

    Returns:
        The content of the .mpy file.

    Raises:
        SourceError: mpy-cross wrote a module of another form.
        KittiwakeError: there is no mpy-cross.
    """
    path = f"kittiwake_node/kernels/{source.module}.py"
    text = "".join(_FUNCTION.format(name=declared.name) for declared in source.functions)
    kind = source.instruction_set
    chip = images.boards()[kind.board].description["mcu"]
    (compiled,) = mpy.compile_files({path: text.encode()}, kind.arch, chip).values()
    head, empty = _parts(compiled, source)
    if len(empty) != len(source.functions):
        raise SourceError(f"{source.path}: {len(empty)} functions in the module of {len(source.functions)}")
    return head + b"".join(_native(functions[declared.name].code) for declared in source.functions)


def _native(code: bytes) -> bytes:
    return _uint(len(code) << 3 | _NATIVE) + code + _uint(0)


def _parts(compiled: bytes, source: Source) -> tuple[bytes, list[bytes]]:
    """Take a module apart: all before its functions, and the machine code of each."""
    reader = _Reader(compiled, _HEADER_BYTES)
    names, objects = reader.uint(), reader.uint()
    for _ in range(names):
        length = reader.uint()
        if not length & 1:  # else one of the names that every MicroPython has
            reader.bytes((length >> 1) + 1)
    reader.bytes(objects)  # the table of the runtime's functions is the only one, a byte
    kind = reader.uint()
    if kind & _KIND != _BYTECODE or not kind & _HAS_CHILDREN or objects > 1:
        raise SourceError(f"{source.path}: mpy-cross wrote another kind of module")
    reader.bytes(kind >> 3)
    count = reader.uint()
    head, functions = compiled[: reader.at], []
    for _ in range(count):
        length = reader.uint()
        functions.append(reader.bytes(length >> 3))
        if length & (_KIND | _HAS_CHILDREN) != _NATIVE or reader.uint() != 0:
            raise SourceError(f"{source.path}: mpy-cross wrote another kind of function")
    if reader.at != len(compiled):
        raise SourceError(f"{source.path}: mpy-cross wrote more than the functions")
    return head, functions


class _Reader:
    def __init__(self, content: bytes, at: int) -> None:
        self._content, self.at = content, at

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self._content[self.at - count : self.at]

    def uint(self) -> int:
        """A number as .mpy files have it: seven bits a byte, the upper first."""
        value = 0
        while True:
            (byte,) = self.bytes(1)
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value


def _uint(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.insert(0, 0x80 | value & 0x7F)
    return bytes(digits)


def record(modules: Iterable[tuple[Source, bytes]]) -> str:
    """Write what is kept beside the sources, a line a module: its name, SHA-256 of its source and of itself.

    Args:
        modules: (source, content of the module).
    """
    lines = (f"{item.module} {digest(item)} {_sha256(content)}\n" for item, content in modules)
    return "".join(lines)


def recorded(kept: str, module: str, content: bytes) -> tuple[str, bool]:
    """Look up what is kept of a module.

    Args:
        kept: as `record` wrote it.
        module: its name.
        content: of it.

    Returns:
        Digest of the source that it was made from ("" when nothing is kept), and whether it is as it was made.
    """
    for line in kept.splitlines():
        name, made_from, made = line.split()
        if name == module:
            return made_from, made == _sha256(content)
    return "", False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
