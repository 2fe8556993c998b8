"""Read-only file system images, against bytes laid out by hand and mpremote's own writer."""

import pytest
from mpremote.romfs import VfsRomWriter

from kittiwake.target import romfs


def test_romfs_one_file_is_laid_out_as_specified():
    # Header, length (led by a zero digit, to make the whole even), file record: kind, length, name; data record.
    assert romfs.image({"a": b"xyz"}) == b"\xd2\xcd\x31" + b"\x80\x09" + b"\x05\x07\x01a" + b"\x02\x03xyz"


def _by_mpremote(tree, writer):
    for name, content in tree.items():
        if isinstance(content, dict):
            writer.opendir(name)
            _by_mpremote(content, writer)
            writer.closedir()
        else:
            writer.mkfile(name, content)


@pytest.mark.parametrize("size", [0, 1, 2, 126, 127, 128, 129, 16383, 16384, 100000])
def test_romfs_images_equal_those_of_mpremote(size):
    writer = VfsRomWriter()
    _by_mpremote({"lib": {"deep": {"b.mpy": b"z" * size}, "empty": b""}, "main.py": b"print(1)\n"}, writer)
    files = {"main.py": b"print(1)\n", "lib/empty": b"", "lib/deep/b.mpy": b"z" * size}
    assert romfs.image(files) == bytes(writer.finalise())
    assert len(romfs.image(files)) % 2 == 0
