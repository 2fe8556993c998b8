"""Board files: all of one schema, every fact with its source, the figures that flashing depends on, faults named."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kittiwake.boards import catalog
from kittiwake.cli import app
from kittiwake.errors import ConfigError, UsageError
from kittiwake.target import images

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "boards").glob("*/board.toml"))

# Written down from the vendors' documents and MicroPython's board definitions, not from the files under test:
# offset, chip id, flash, start of the file system.
FLASHED = {
    "esp32-devkitc": (0x1000, 0, 4 << 20, 0x200000),
    "esp32-s3-devkitc-1": (0, 9, 8 << 20, 0x200000),
    "esp32-c3-devkitm-1": (0, 5, 4 << 20, 0x200000),
    "pyboard-v1.1": (0x08000000, 0x413, 1 << 20, 0x08004000),
    "nucleo-f446re": (0x08000000, 0x421, 512 << 10, 0x08004000),
    "weact-f411-blackpill": (0x08000000, 0x431, 512 << 10, 0x08004000),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_boards_every_file_is_of_the_schema_and_has_its_folders_name(path):
    assert catalog.read(path).name == path.parent.name


def test_boards_flashed_ones_say_what_the_documents_say():
    stated = {}
    for name in catalog.names():
        board = catalog.find(name)
        if not board.is_virtual:
            memory = board.memory
            stated[name] = (board.flash.offset, board.flash.chip_id, memory.flash_bytes, memory.storage_address)
    assert stated == FLASHED


def test_boards_esp32_pins_stay_off_strapping_flash_and_console_pins():
    # Datasheets: strapping pins; pins of the flash; UART 0; native USB on S3 and C3.
    taken = {
        "esp32": {0, 2, 5, 12, 15, *range(6, 12), 1, 3},
        "esp32s3": {0, 3, 45, 46, *range(26, 38), 43, 44, 19, 20},
        "esp32c3": {2, 8, 9, *range(11, 18), 20, 21},
    }
    checked = 0
    for name in FLASHED:
        board = catalog.find(name)
        if board.chip in taken:
            used = [value for key, value in board.facts() if key.startswith("pins.") and not key.endswith(".id")]
            assert not taken[board.chip] & set(used), name
            assert len(used) == len(set(used)) == 7, name
            checked += 1
    assert checked == 3


def test_boards_virtual_ones_are_those_that_the_targets_know():
    virtual = {name: catalog.find(name).qemu.target for name in catalog.names() if catalog.find(name).is_virtual}
    assert virtual == {name: board.target for name, board in images.boards().items()}
    assert len(virtual) == 5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("chip_id = 0", "chip_id = 0\nvoltage = 3", "line 17: flash.voltage: no such setting"),
        ('chip = "esptool 5.6, esptool/targets"\n', "", "no source is given for chip"),
        ('[sources]\n', '[sources]\ncolour = "seen"\n', "a source is given for colour, which is not there"),
        ("[flash]", "[flashing]", "no such setting"),
        ('reset = "lines"', 'reset = "hope"', "flash.reset"),
        ('path = "kittiwake"\n', "", "a path belongs to kind folder"),
    ],
)  # fmt: skip
def test_boards_a_broken_file_is_refused_by_its_fault(tmp_path, old, new, said):
    text = (ROOT / "boards" / "esp32-devkitc" / "board.toml").read_text()
    assert old in text
    broken = tmp_path / "board.toml"
    broken.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        catalog.read(broken)
    assert said in str(caught.value)


def test_boards_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UsageError, match="did you mean nucleo-f446re"):
        catalog.find("nucleo")


def test_boards_usb_ids_name_the_boards_that_show_them():
    assert catalog.by_usb(0x0483, 0x374B) == ["nucleo-f446re"]
    assert len(catalog.by_usb(0x10C4, 0xEA60)) == 3
    assert catalog.by_usb(None, None) == []


def test_boards_command_lists_and_shows_them(capsys):
    assert app.run(["boards", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["boards"]] == catalog.names()
    assert app.run(["boards", "show", "esp32-devkitc", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["flash"]["offset"] == 0x1000 and shown["download"].endswith("/ESP32_GENERIC/")
    assert app.run(["boards", "show", "pyboard-v1.1"]) == 0
    assert "0x8000000" in capsys.readouterr().out
    assert app.run(["boards", "show", "toaster"]) == 2
    assert capsys.readouterr().err.startswith("kittiwake: no board 'toaster'")


@pytest.mark.parametrize("name", ["esp32-devkitc", "esp32-s3-devkitc-1"])
def test_boards_show_says_of_an_esp32_what_was_tried_and_what_that_does_not_stand_for(name, capsys):
    assert app.run(["boards", "show", name]) == 0
    shown = capsys.readouterr().out
    assert "tried: on no board of this kind yet; qemu:xtensa runs its instructions" in shown
    (not_shown,) = [line for line in shown.splitlines() if line.startswith("  stand_in.not_shown ")]
    for limit in ("memories", "caches", "the FPU", "the second core", "interrupts", "speed"):
        assert limit in not_shown


def test_boards_wiring_pictures_are_those_of_the_files():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import wiring
    finally:
        sys.path.pop(0)
    for name in FLASHED:
        drawn = (wiring.FOLDER / f"{name}.svg").read_text(encoding="utf-8")
        assert drawn == wiring.drawing(catalog.find(name)), "run tools/wiring.py"
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
        for key, value in catalog.find(name).facts():
            if key.startswith("pins.") and not key.endswith(".id"):
                assert f">{'GPIO ' * isinstance(value, int)}{value}<" in drawn
