"""The wheel of emulated boards: the same bytes wherever it is built, licences in it, put in place whole or not."""

import hashlib
import json
import zipfile

import pytest

from kittiwake.errors import ConfigError, KittiwakeError, UsageError
from kittiwake.target import images, install
from tools import boards_wheel, system


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if any(images.find_image(board) is None for board in images.every().values()):
        pytest.skip("the emulated boards are not built: make boards")
    try:
        return boards_wheel.build(tmp_path_factory.mktemp("wheel"))
    except KittiwakeError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def wheels_place(tmp_path, monkeypatch):
    """As in a wheel's place: no checkout, a cache of its own."""
    monkeypatch.setattr(images, "is_checkout", lambda: False)
    monkeypatch.setenv("KITTIWAKE_CACHE", str(tmp_path))
    return tmp_path / images.INSTALLED


def test_boards_wheel_built_in_another_folder_has_the_same_bytes(wheel, tmp_path):
    other = boards_wheel.build(tmp_path / "somewhere else")
    assert other.name == wheel.name
    assert hashlib.sha256(other.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


def test_boards_wheel_holds_every_board_the_licences_and_no_path_of_this_machine(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        facts = {name: archive.read(name) for name in names if name.endswith("build.json")}
        licences = {name: archive.read(name) for name in names if "/licenses/" in name}
    assert len(facts) == len(images.every()) == 6  # five boards, and one of them that tells its lines
    assert all(set(json.loads(text)) == {"board", "source", "sha256"} for text in facts.values())
    every = b"".join(licences.values())
    for part in (b"MIT License", b"littlefs", b"SoftFloat", b"picolibc", b"newlib", b"GCC RUNTIME LIBRARY EXCEPTION"):
        assert part.lower() in every.lower(), part


def test_boards_wheel_is_put_in_place_and_found_there(wheel, wheels_place):
    board = images.boards()["qemu-virt"]
    with pytest.raises(KittiwakeError, match="is not installed; pip install kittiwake-boards"):
        images.image(board)
    assert set(install.install(wheel)) == {board.target for board in images.boards().values()}
    assert images.image(board).firmware == wheels_place / "qemu-virt/firmware.elf"
    assert sorted(path.name for path in wheels_place.iterdir()) == sorted(images.every())


def test_boards_wheel_that_is_damaged_changes_nothing(wheel, wheels_place, tmp_path):
    damaged = tmp_path / "damaged.whl"
    with zipfile.ZipFile(wheel) as archive, zipfile.ZipFile(damaged, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name)
            copy.writestr(name, content[:-1] if name == "kittiwake_boards/qemu-mps2-an385/firmware.elf" else content)
    with pytest.raises(ConfigError, match="the firmware of qemu:mps2-an385 is damaged"):
        install.install(damaged)
    assert list(wheels_place.iterdir()) == []
    damaged.write_bytes(b"no zip")
    with pytest.raises(ConfigError, match="is no wheel of kittiwake-boards"):
        install.install(damaged)
    with pytest.raises(ConfigError, match="none.whl is not there"):
        install.install(tmp_path / "none.whl")


def test_checkout_takes_no_wheel(tmp_path):
    with pytest.raises(UsageError, match="make boards"):
        install.install(tmp_path / "any.whl")


def test_board_without_emulator_names_the_package_that_has_it(monkeypatch):
    described = {board.description["qemu"]["system"]: board for board in images.boards().values()}
    assert {name: board.description["qemu"]["package"] for name, board in described.items()} == system.EMULATORS
    monkeypatch.setattr(images, "is_checkout", lambda: False)
    error = images.without_emulator(described["qemu-system-arm"])
    assert str(error) == "qemu-system-arm is not there; sudo apt-get install qemu-system-arm"
