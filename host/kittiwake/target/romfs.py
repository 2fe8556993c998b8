"""Images of MicroPython's read-only file system, for boards that run their modules from flash without a copy in RAM.

Knows the format and paths only. Source: MicroPython reference, "ROMFS"; extmod/vfs_rom.c of MicroPython 1.25.
"""

from __future__ import annotations

from collections.abc import Mapping

_HEADER = b"\xd2\xcd\x31"
_PADDING, _DATA_VERBATIM, _DIRECTORY, _FILE = 1, 2, 4, 5
# Files that are used where they lie, by kernels that read whole words: their content starts at a multiple of this.
_ALIGNED, _ALIGNMENT = ".kwm", 4
_SIZE_DIGITS = 4

# Name -> a folder's own tree, or a file's record.
_Tree = dict[str, "_Tree | bytes"]


def image(files: Mapping[str, bytes]) -> bytes:
    """Lay files out as one read-only file system.

    Args:
        files: path -> content; folders come from the paths.

    Returns:
        The image, of even length.
    """
    padding: dict[str, int] = {}
    content = _image(files, padding)
    for path in sorted(files):
        # Padding moves what follows, and may lengthen the numbers before: so one file after the other, by trial.
        while path.endswith(_ALIGNED) and content.index(files[path]) % _ALIGNMENT and padding.get(path, 0) < _ALIGNMENT:
            padding[path] = padding.get(path, 0) + 1
            content = _image(files, padding)
    return content


def _image(files: Mapping[str, bytes], padding: Mapping[str, int]) -> bytes:
    tree: _Tree = {}
    for path in sorted(files):
        *folders, name = path.strip("/").split("/")
        place = tree
        for folder in folders:
            inner = place.setdefault(folder, {})
            if isinstance(inner, bytes):
                raise ValueError(f"{folder} is a file and a folder, in {path}")
            place = inner
        pad = _record(_PADDING, bytes(padding[path] - 1)) if path in padding else b""
        place[name] = pad + _record(_DATA_VERBATIM, files[path])
    body = _entries(tree)
    if any(path.endswith(_ALIGNED) for path in files):
        # Of one length with any body, so that no aligned file moves when one behind it is padded.
        body += _record(_PADDING, bytes(1 + (len(body) + len(_HEADER) + _SIZE_DIGITS + 1) % 2))
        return _HEADER + _number(len(body)).rjust(_SIZE_DIGITS, b"\x80") + body
    size = _number(len(body))
    if (len(_HEADER) + len(size) + len(body)) % 2:
        size = b"\x80" + size  # a leading zero digit, to keep what follows aligned
    return _HEADER + size + body


def _entries(tree: _Tree) -> bytes:
    records = bytearray()
    for name, content in tree.items():
        head = _number(len(name.encode())) + name.encode()
        if isinstance(content, dict):
            records += _record(_DIRECTORY, head + _entries(content))
        else:
            records += _record(_FILE, head + content)
    return bytes(records)


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _number(value: int) -> bytes:
    """Seven bits a byte, most significant first, the top bit set on all but the last."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))
