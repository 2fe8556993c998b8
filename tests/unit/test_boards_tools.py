"""Boards are built where tools of others are missing, too old or half made, and each such trouble is one line."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.target import available, images
from tools import system

_TOOLS = Path(__file__).resolve().parents[2] / "tools" / "micropython"
XTENSA = "qemu-xtensa"
OTHERS = ["qemu-mps2-an385", "qemu-mps2-an386", "qemu-netduino2", "qemu-virt", "traced-mps2-an385"]


@pytest.fixture
def builder(tmp_path, monkeypatch):
    """tools/micropython/build.py with an empty cache, whose steps only note what they are asked for."""
    monkeypatch.setenv("KITTIWAKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("micropython_build", _TOOLS / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.built = []

    def firmware(board, *_):
        module.built.append(board.name)
        images.image_dir(board).mkdir(parents=True)
        monkeypatch.setattr(module.images, "find_image", lambda board: board.name in module.built or None)
        return True

    monkeypatch.setattr(module.compiler, "firmware", firmware)
    monkeypatch.setattr(module.compiler, "mpy_cross", lambda *_: tmp_path)
    monkeypatch.setattr(module.source, "tree", lambda *_: tmp_path)
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    return module


def with_all_but(monkeypatch, *absent):
    """Let every program be there but these."""
    monkeypatch.setattr(system, "find", lambda program: None if program in absent else f"/usr/bin/{program}")
    monkeypatch.setattr(system, "_has_library", lambda *_: True)


def test_build_without_one_compiler_builds_the_others_and_names_its_packages(builder, monkeypatch, capsys):
    with_all_but(monkeypatch, "xtensa-lx106-elf-gcc")
    monkeypatch.setattr(sys, "argv", ["build.py"])
    assert builder.main() == 1
    assert builder.built == OTHERS
    lines = [line for line in capsys.readouterr().err.splitlines() if XTENSA in line]
    assert len(lines) == 1
    assert "not built: gcc-xtensa-lx106, picolibc-xtensa-lx106-elf missing; run: sudo apt-get install" in lines[0]


@pytest.mark.parametrize("absent", ["arm-none-eabi-gcc", "riscv64-unknown-elf-gcc"])
def test_build_without_another_compiler_builds_xtensa(builder, monkeypatch, absent):
    with_all_but(monkeypatch, absent)
    failures = builder.build([])
    assert XTENSA in builder.built
    assert {*builder.built, *failures} == {*OTHERS, XTENSA} and failures


def test_build_without_the_emulator_names_its_package(builder, monkeypatch):
    with_all_but(monkeypatch, "qemu-system-xtensa")
    failures = builder.build([])
    assert builder.built == OTHERS
    assert "qemu-system-misc missing" in str(failures[XTENSA])


def test_build_without_what_every_board_needs_is_one_error(builder, monkeypatch, capsys):
    with_all_but(monkeypatch, "make")
    monkeypatch.setattr(sys, "argv", ["build.py"])
    assert builder.main() == 1
    assert builder.built == []
    assert "make missing; run: sudo apt-get" in capsys.readouterr().err


def test_build_of_a_board_that_fails_builds_the_others(builder, monkeypatch):
    with_all_but(monkeypatch)
    build = builder.compiler.firmware

    def firmware(board, *arguments):
        if board.name == XTENSA:
            raise KittiwakeError("does not compile")
        return build(board, *arguments)

    monkeypatch.setattr(builder.compiler, "firmware", firmware)
    failures = builder.build([])
    assert builder.built == OTHERS
    assert {name: str(error) for name, error in failures.items()} == {XTENSA: "does not compile"}


def test_target_whose_emulator_is_missing_says_so_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    problem = str(available("qemu:xtensa"))
    assert problem == "qemu-system-xtensa is not there; run `make boards`"


class Plugin:
    """A core's plugin out of small files, in a cache of its own."""

    def __init__(self, core, folder):
        self._core, self._folder = core, folder
        self.options, self.tree = folder / "plugin", folder / "tree"
        self.options.mkdir()
        (self.tree / "target" / "xtensa").mkdir(parents=True)
        (self.tree / "include").mkdir()
        (self.options / "options.c").write_text("const int xtensa_config_v1[] = {1};\n")

    def make(self):
        return self._core.plugin(self.options, self.tree, self._folder)


@pytest.fixture
def plugin(builder, tmp_path):
    return Plugin(builder.compiler.core, tmp_path)


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("damage", ["cut off", "absent", "no facts"])
def test_plugin_that_is_half_built_is_built_again(plugin, damage):
    path = plugin.make()
    whole = path.read_bytes()
    if damage == "cut off":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "absent":
        path.unlink()
    else:
        (path.parent / "build.json").unlink()
    assert plugin.make() == path
    assert path.read_bytes() == whole


@pytest.mark.needs("gcc")
def test_plugin_that_is_whole_is_not_built_again(plugin, monkeypatch):
    path = plugin.make()
    monkeypatch.setenv("PATH", "")
    assert plugin.make() == path


@pytest.mark.needs("gcc")
def test_plugin_that_does_not_compile_is_told_in_one_line(plugin):
    (plugin.options / "options.c").write_text("#include <no-such-table.h>\n")
    with pytest.raises(KittiwakeError, match="core's tables do not compile: .*no-such-table.h") as caught:
        plugin.make()
    assert "\n" not in str(caught.value)


def assembler(folder, version, takes_plugins):
    """A program that answers as the assembler of that version does. Returns the folder for PATH."""
    programs = folder / "programs"
    programs.mkdir()
    path = programs / "xtensa-lx106-elf-as"
    refusal = "echo \"{standard input}:1: Error: unknown opcode or format name 'entry'\"; exit 1"
    path.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = --version ]; then echo "GNU assembler (GNU Binutils) {version}"; exit 0; fi\n'
        f"{'exit 0' if takes_plugins else refusal}\n"
    )
    path.chmod(0o755)
    return programs


@pytest.mark.parametrize(
    ("version", "takes_plugins", "said"),
    [
        ("2.35.2", True, "xtensa-lx106-elf-as 2.35.2 takes no core's tables; install binutils-xtensa-lx106 2.40"),
        ("2.39", True, "xtensa-lx106-elf-as 2.39 takes no core's tables; install binutils-xtensa-lx106 2.40"),
        ("2.40", False, "does not take the core's tables: .*unknown opcode or format name 'entry'"),
        ("2.44.50.20250616", True, None),
        ("2.40", True, None),
    ],
)
def test_assembler_too_old_for_plugins_is_told_in_one_line(
    builder, tmp_path, monkeypatch, version, takes_plugins, said
):
    core = builder.compiler.core
    monkeypatch.setenv("PATH", str(assembler(tmp_path, version, takes_plugins)))
    monkeypatch.setattr(core.source, "core_tree", lambda *_: tmp_path)
    monkeypatch.setattr(core, "plugin", lambda *_: tmp_path / "plugin.so")
    board = images.boards()[XTENSA]
    if said is None:
        assert set(core.settings(board, tmp_path, lambda text: None)) == {"XTENSA_TREE", "XTENSA_PLUGIN"}
        return
    with pytest.raises(KittiwakeError, match=said) as caught:
        core.settings(board, tmp_path, lambda text: None)
    assert "\n" not in str(caught.value)


def test_assembler_that_is_missing_is_told_in_one_line(builder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KittiwakeError, match="xtensa-lx106-elf-as is not there; install binutils-xtensa-lx106"):
        builder.compiler.core.settings(images.boards()[XTENSA], tmp_path, lambda text: None)


@pytest.mark.needs("xtensa-lx106-elf-gcc")
def test_assembler_here_refuses_the_cores_code_without_its_tables(builder, monkeypatch):
    """The probe above can fail: Debian's assembler, by itself, knows the ESP8266's core only."""
    core = builder.compiler.core
    with pytest.raises(KittiwakeError, match="does not take the core's tables"):
        core._check_plugin(Path("/nonexistent/plugin.so"))
    assert shutil.which("xtensa-lx106-elf-as")


def test_core_source_that_is_not_the_known_one_is_refused(builder, tmp_path, monkeypatch):
    monkeypatch.delenv("QEMU_DIR", raising=False)
    (tmp_path / "archive").write_bytes(b"another")
    monkeypatch.setattr(builder.source, "_download", lambda *_: tmp_path / "archive")
    with pytest.raises(KittiwakeError, match="is not the one that is known; set QEMU_DIR"):
        builder.source.core_tree(tmp_path, lambda text: None)
    assert not list(tmp_path.glob("core_source-*")) and not list(tmp_path.glob("tmp-*"))


def test_core_source_of_the_users_lacking_a_part_is_refused(tmp_path, monkeypatch):
    (tmp_path / "target" / "xtensa").mkdir(parents=True)
    monkeypatch.setenv("QEMU_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match="has no include/hw/xtensa"):
        images.core_source_id()


def test_core_source_of_the_users_is_told_by_its_files(tmp_path, monkeypatch):
    for part in images.CORE_PARTS:
        (tmp_path / part).mkdir(parents=True)
    monkeypatch.setenv("QEMU_DIR", str(tmp_path))
    board = images.boards()[XTENSA]
    before = images.key(board), images.key(images.boards()["qemu-virt"])
    (tmp_path / "target" / "xtensa" / "table.c").write_text("x")
    assert images.key(board) != before[0]
    assert images.key(images.boards()["qemu-virt"]) == before[1]
