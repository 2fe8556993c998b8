"""Precompiled modules: the architecture that a board needs, and refusal of what it could not load."""

import pytest

from kittiwake.errors import ConfigError, KittiwakeError
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
