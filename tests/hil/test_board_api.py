"""What the plugin's `board` lets a test do to a board: read a folder of this machine, work its pins."""

import errno
import os

import pytest

from kittiwake.errors import TargetError, UsageError
from kittiwake.hil import Board

# In the place of a chip's own: two pins are joined by a wire, the others float.
MACHINE = """
class Pin:
    IN, OUT, PULL_UP, PULL_DOWN = range(4)
    level = {}
    WIRES = {4: 5}
    def __init__(self, name, mode, pull=None, value=None):
        if name not in (4, 5, "LED"):
            raise ValueError("invalid pin")
        self.name, self.pull = name, pull
        if mode == Pin.OUT:
            Pin.level[self.WIRES.get(name, name)] = value
    def value(self):
        return Pin.level.get(self.name, int(self.pull == Pin.PULL_UP))
"""


@pytest.fixture
def under_test(board):
    one = Board(board, pins={"button": 4, "wire": 5})
    one.reset()
    yield one
    one.reset()


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "src"
    (root / "pack").mkdir(parents=True)
    (root / "mounted_one.py").write_text("from pack import inner\nVALUE = inner.VALUE + 1\n")
    (root / "pack/inner.py").write_text("VALUE = 41\n")
    (root / "text.txt").write_text("first\n" + 200 * "long " + "\nlast")
    (root / "bytes.bin").write_bytes(bytes(range(256)) * 3)
    (tmp_path / "secret").write_text("not theirs")
    (root / "out").symlink_to(tmp_path / "secret")
    return root


def test_mounted_folder_is_imported_from_and_read(under_test, folder):
    under_test.mount(folder)
    under_test.exec("import os, mounted_one")
    assert under_test.eval("mounted_one.VALUE") == 42
    assert under_test.eval("open('/host/bytes.bin', 'rb').read()") == bytes(range(256)) * 3
    lines = under_test.eval("list(open('/host/text.txt'))")
    assert lines == ["first\n", 200 * "long " + "\n", "last"]
    under_test.exec("f = open('/host/text.txt'); f.seek(3)")
    assert under_test.eval("f.read(2), f.readline(), f.tell()") == ("st", "\n", 6)
    assert sorted(under_test.eval("os.listdir('/host')")) == ["bytes.bin", "mounted_one.py", "pack", "text.txt"]
    assert under_test.eval("os.stat('/host/bytes.bin')[6]") == 768
    under_test.exec("os.chdir('/host/pack')")
    assert under_test.eval("open('inner.py').read()") == "VALUE = 41\n"


def test_mounted_folder_is_live_and_what_code_prints_stays_its_own(under_test, folder):
    under_test.mount(folder)
    (folder / "late.txt").write_text("late")
    # No line's end before the question: it goes out in the middle of a line.
    printed = under_test.exec("print('<', end=''); text = open('/host/late.txt').read(); print(text, end='>')")
    assert printed == under_test.console == "<late>"
    (folder / "script.py").write_text("print('run')\n")
    assert under_test.run(folder / "script.py") == "run\n"


REFUSED = {
    "open('/host/none.txt')": errno.ENOENT,
    "open('/host/out')": errno.ENOENT,
    "open('/host/../secret')": errno.ENOENT,
    "open('/host/text.txt', 'w')": errno.EROFS,
    "os.remove('/host/text.txt')": errno.EROFS,
    "open('/host/pack')": errno.EINVAL,
    "os.chdir('/host/text.txt')": errno.EINVAL,
}


def test_mounted_folder_is_neither_left_nor_written(under_test, folder):
    under_test.mount(folder)
    under_test.exec("import os")
    numbers = {
        code: under_test.eval(under_test.exec(f"try:\n {code}\nexcept OSError as error:\n print(error.errno)"))
        for code in REFUSED
    }
    assert numbers == REFUSED
    assert (folder / "text.txt").exists()


def test_mount_ends_with_a_reset_and_is_one_at_a_time(under_test, folder):
    under_test.mount(folder)
    with pytest.raises(UsageError, match=r"has a folder mounted already; reset\(\) it first"):
        under_test.mount(folder)
    under_test.reset()
    with pytest.raises(TargetError, match="ImportError"):
        under_test.exec("import mounted_one")
    with pytest.raises(UsageError, match="is no folder"):
        under_test.mount(folder / "text.txt")
    under_test.mount(folder, "/elsewhere")
    assert under_test.eval("open('/elsewhere/pack/inner.py').read(5)") == "VALUE"


def test_pins_are_set_and_read_by_their_names_on_the_bench(under_test, tmp_path):
    (tmp_path / "machine.py").write_text(MACHINE)
    under_test.mount(tmp_path)
    assert under_test.lacks("button", "wire", "relay") == ["relay"]
    under_test.mount(tmp_path)  # to be asked what it lacks, it is booted anew
    assert under_test.pins["wire"].read() == 0 and under_test.pins["wire"].read(pull="up") == 1
    under_test.pins["button"].set(True)
    assert under_test.pins["wire"].read() == under_test.pins[5].read() == 1
    under_test.pins["button"].set(0)
    assert under_test.pins["wire"].read(pull="up") == 0
    under_test.pins["LED"].set(1)
    assert under_test.pins["LED"].read() == 1
    with pytest.raises(TargetError, match="invalid pin"):
        under_test.pins["relay"].read()


def test_mount_of_many_files_lists_every_one(under_test, tmp_path):
    names = [f"{number:03}-{'é' * 8}.txt" for number in range(60)]
    for name in names:
        os.close(os.open(tmp_path / name, os.O_CREAT))
    under_test.mount(tmp_path)
    assert sorted(under_test.eval("__import__('os').listdir('/host')")) == names
