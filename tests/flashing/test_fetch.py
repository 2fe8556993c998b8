"""Flashing without naming an image: mpflash is asked where it is there, and else it is said where images are."""

import sys

import pytest

from kittiwake.cli import app

PYTHON = sys.executable
# An mpflash of ours: takes what its --help lists, and puts files where it says that it does.
MPFLASH = """#!{python}
import os, pathlib, sys
assert sys.argv[1:] == ["download", "--board", "ESP32_GENERIC", "--version", "stable"], sys.argv
folder = pathlib.Path(os.environ["MPFLASH_FIRMWARE"]) / "esp32"
folder.mkdir()
for name in {names!r}:
    (folder / name).write_bytes(b"no image")
"""


@pytest.fixture
def mpflash(monkeypatch, tmp_path):
    def install(*names):
        program = tmp_path / "mpflash"
        program.write_text(MPFLASH.format(python=PYTHON, names=names))
        program.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))  # one may be installed beside this Python
    monkeypatch.setenv("MPFLASH_FIRMWARE", str(tmp_path))
    return install


def test_fetch_without_mpflash_says_where_images_are(mpflash, capsys):
    assert app.run(["flash", "nucleo-f446re", "--port", "/dev/null"]) == 2
    said = capsys.readouterr().err
    assert "https://micropython.org/download/NUCLEO_F446RE/ has them (.hex or .dfu or .bin)" in said
    assert "pip install mpflash" in said and len(said.splitlines()) == 1


def test_fetch_by_mpflash_takes_the_newest_of_the_plain_build(mpflash, capsys):
    plain = ("ESP32_GENERIC-v1.9.4.bin", "ESP32_GENERIC-v1.28.0.bin", "ESP32_GENERIC-20250415-v1.25.0.bin")
    mpflash(*plain, "ESP32_GENERIC-SPIRAM-v1.29.0.bin", "ESP32_GENERIC-v1.29.0.uf2")
    assert app.run(["flash", "esp32-devkitc", "--port", "/dev/null"]) == 2
    # That file is no image, and it is this one that is said of.
    assert "ESP32_GENERIC-v1.28.0.bin has no bootloader at 0x1000" in capsys.readouterr().err


def test_fetch_by_mpflash_that_brings_nothing_says_where_images_are(mpflash, capsys):
    mpflash()
    assert app.run(["flash", "esp32-devkitc", "--port", "/dev/null"]) == 1
    assert "mpflash brought no image of ESP32_GENERIC" in capsys.readouterr().err


def test_fetch_for_an_emulated_board_names_the_builder(capsys):
    assert app.run(["flash", "qemu-virt"]) == 2
    assert "make boards" in capsys.readouterr().err
