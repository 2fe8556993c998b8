"""The builder of the emulated boards: where it looks for sources, what its cache holds, when it builds again."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kittiwake.errors import ConfigError, NoDeviceError
from kittiwake.target import images

_TOOLS = Path(__file__).resolve().parents[2] / "tools" / "micropython"


def _load(name):
    spec = importlib.util.spec_from_file_location(f"micropython_{name}", _TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


aptsources = _load("aptsources")
cache = _load("cache")

_DEB822 = """\
# A comment before.
Types: deb
# and one within
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def _system(tmp_path, files, os_release="ID=debian\nVERSION_CODENAME=bookworm\n"):
    (tmp_path / "sources.list.d").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "os-release").write_text(os_release)
    return aptsources.debian_stanzas(tmp_path, tmp_path / "os-release")


def test_aptsources_deb822_gives_the_main_archive_with_its_key(tmp_path):
    stanzas = _system(tmp_path, {"sources.list.d/debian.sources": _DEB822})
    assert aptsources.source_entries(stanzas, "trixie") == (
        "Types: deb-src\nURIs: http://mirror.example/debian\nSuites: trixie\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian.gpg\n"
    )


def test_aptsources_embedded_key_is_kept_whole(tmp_path):
    key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----"
    text = f"Types: deb\nURIs: http://a.example/\nSuites: bookworm\nComponents: main\nSigned-By:{key}\n"
    entries = aptsources.source_entries(_system(tmp_path, {"sources.list.d/a.sources": text}), "trixie")
    assert entries.endswith(f"Signed-By: {key}\n")


def test_aptsources_one_line_form_gives_uri_and_key(tmp_path):
    text = (
        "# deb http://no.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main # c\n"
    )
    stanzas = _system(tmp_path, {"sources.list": text})
    assert [(s["URIs"], s["Signed-By"]) for s in stanzas] == [("http://m.example/debian", "/k.gpg")]


def test_aptsources_third_parties_and_disabled_entries_are_left_out(tmp_path):
    text = "Enabled: no\n" + _DEB822.replace("# A comment before.\n", "")
    other = "deb http://vendor.example/apt nodistro main\n"
    assert _system(tmp_path, {"sources.list.d/a.sources": text, "sources.list.d/b.list": other}) == []


def test_aptsources_other_systems_give_nothing(tmp_path):
    assert _system(tmp_path, {"sources.list.d/d.sources": _DEB822}, "ID=ubuntu\nVERSION_CODENAME=bookworm\n") == []


def test_aptsources_a_mirror_named_twice_is_asked_once(tmp_path):
    stanzas = _system(tmp_path, {"sources.list.d/a.sources": _DEB822, "sources.list.d/b.sources": _DEB822})
    assert aptsources.source_entries(stanzas, "trixie").count("Types:") == 1


def test_cache_unfinished_work_of_a_dead_builder_is_removed(tmp_path):
    (tmp_path / "tmp-dead").mkdir()
    with cache.locked(tmp_path, lambda text: None):
        assert not (tmp_path / "tmp-dead").exists()


def test_cache_result_has_its_name_only_when_whole(tmp_path):
    place = tmp_path / "board-key"
    with pytest.raises(ZeroDivisionError), cache.workshop(tmp_path) as work:
        (work / "made").mkdir()
        raise ZeroDivisionError
    assert not place.exists() and not list(tmp_path.glob("tmp-*"))
    with cache.workshop(tmp_path) as work:
        (work / "made").mkdir()
        cache.publish(work / "made", place, {"a": 1})
    assert cache.facts(place) == {"a": 1}


def test_cache_second_builder_waits_for_the_first(tmp_path):
    said = []
    holder = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
         "print('held', flush=True); sys.stdin.read()", str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout.readline() == b"held\n"

    def say(text):
        said.append(text)
        holder.kill()  # a holder that dies sets the lock free

    with cache.locked(tmp_path, say):
        pass
    holder.communicate()
    assert said == ["another build is under way; waiting for it"]


def test_cache_prune_keeps_the_newest_of_each_board(tmp_path):
    for i in range(9):
        for name in ("a", "b"):
            (tmp_path / f"{name}-{i}").mkdir()
            (tmp_path / f"{name}-{i}" / "build.json").write_text("{}")
    cache.prune(tmp_path)
    assert len(list(tmp_path.glob("a-*"))) == len(list(tmp_path.glob("b-*"))) == 6


@pytest.fixture
def board(tmp_path, monkeypatch):
    """A copy of one board's definition, with a cache of its own."""
    monkeypatch.setenv("KITTIWAKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MICROPY_DIR", raising=False)
    real = images.boards()["qemu-virt"]
    for name in ("qemu-virt", "qemu-common"):
        shutil.copytree(real.folder.parent / name, tmp_path / name)
    return images.Board(real.name, tmp_path / "qemu-virt", real.target, real.description)


def _fake_build(board, content=b"elf", sha256=None):
    folder = images.image_dir(board)
    folder.mkdir(parents=True)
    (folder / "firmware.elf").write_bytes(content)
    if sha256 is None:
        import hashlib

        sha256 = hashlib.sha256(content).hexdigest()
    (folder / "build.json").write_text(json.dumps({"sha256": sha256}))


def test_images_every_board_of_the_checkout_is_a_target():
    assert {board.target for board in images.boards().values()} == {
        "qemu:mps2-an385",
        "qemu:mps2-an386",
        "qemu:netduino2",
        "qemu:virt",
        "qemu:xtensa",
    }


def test_images_a_board_not_built_is_named_with_its_mend(board):
    with pytest.raises(NoDeviceError, match="qemu:virt is not built.*make boards"):
        images.image(board)


def test_images_a_changed_source_needs_a_new_build(board):
    _fake_build(board)
    assert images.image(board).firmware.read_bytes() == b"elf"
    path = board.folder.parent / "qemu-common" / "cmodules" / "kwboard" / "rx.c"
    path.write_text(path.read_text() + "// changed\n")
    assert images.find_image(board) is None


def test_images_a_changed_board_toml_needs_none(board):
    _fake_build(board)
    (board.folder / "board.toml").write_text("# changed\n")
    assert images.find_image(board) is not None


@pytest.mark.parametrize("damage", ["truncate", "no json", "bad json", "no elf"])
def test_images_a_damaged_build_is_no_build(board, damage):
    _fake_build(board)
    folder = images.image_dir(board)
    if damage == "truncate":
        (folder / "firmware.elf").write_bytes(b"el")
    elif damage == "no json":
        (folder / "build.json").unlink()
    elif damage == "bad json":
        (folder / "build.json").write_text("{")
    else:
        (folder / "firmware.elf").unlink()
    assert images.find_image(board) is None


def test_images_a_checkout_is_told_by_its_files(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROPY_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match="ports/qemu"):
        images.source_id()
    (tmp_path / "ports" / "qemu").mkdir(parents=True)
    (tmp_path / "ports" / "qemu" / "Makefile").write_text("all:\n")
    before = images.source_id()
    (tmp_path / "ports" / "qemu" / "build-X").mkdir()
    (tmp_path / "ports" / "qemu" / "build-X" / "a.o").write_text("x")
    assert images.source_id() == before
    (tmp_path / "py").mkdir()
    (tmp_path / "py" / "vm.c").write_text("x")
    assert images.source_id() != before
