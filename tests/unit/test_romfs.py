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


@pytest.mark.parametrize(
    "sizes", [(5, 7, 9, 130), (48056, 32720, 30800, 33360), (127, 128, 16383, 16384), (1, 1, 2, 3)]
)
def test_romfs_several_plans_all_start_at_multiples_of_four(sizes):
    plans = {f"{'abcd'[i]}{'x' * i}.kwm": bytes([65 + i]) * size for i, size in enumerate(sizes)}
    for others in range(1, 9):
        made = romfs.image({**plans, "lib/m.mpy": b"z" * others, "zz.py": b"y" * others})
        assert [made.index(content) % 4 for content in plans.values()] == [0] * 4
        assert len(made) % 2 == 0
