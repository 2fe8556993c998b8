"""Parity on every target, by the suites of `kittiwake verify`, and that a mutated firmware is found out."""

import json

import pytest

import kittiwake
from kittiwake.cli import app
from kittiwake.errors import EXIT_OK, EXIT_VERIFICATION
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.verify import compare, suites
from tests.support.hil import SOAK, fastest_kernel

# In a module of the firmware, one constant for another.
_MUTATIONS = {
    **dict.fromkeys(
        ("zscore", "lagged", "wide"),
        ("kittiwake_node/detect/zscore.py", b"q * q * (n - 1), p * p * n", b"q * q * (n - 1), p * p * n + 1"),
    ),
    "drift": ("kittiwake_node/detect/drift.py", b"state[_PQ] = p | q << 8", b"state[_PQ] = p + 1 | q << 8"),
    "novelty": ("kittiwake_node/detect/novelty.py", b"base=(51200 ", b"base=(51700 "),
    "baseline": ("kittiwake_node/detect/baseline.py", b"self.p * self.p * m * spread", b"self.p * self.p * spread"),
    "summary": ("kittiwake_node/detect/summary.py", b"(state[_Q1] << 15)", b"(state[_Q1] << 16)"),
    "records": ("kittiwake_node/link/record.py", b"VERSION = const(1)\n", b"VERSION = const(2)\n"),
    "frames": ("kittiwake_node/link/frame.py", b'_CTRL_C = b"\\x03"', b'_CTRL_C = b"\\x04"'),
    "keyword": ("kittiwake_node/speech/keyword.py", b"self.sum > self.note.limit", b"self.sum >= 0"),
    "states": ("kittiwake_node/detect/state_judge.py", b"+ (size >> 1)) // size", b") // size"),
    "frontend": ("kittiwake_node/kernels/viper_features.py", b"smoothing = 983", b"smoothing = 984"),
    "model": ("kittiwake_node/kernels/viper_conv.py", b"- 128) * 2 + 1", b"- 128) * 2 + 3"),
}
# Suites without kernels, and those whose stages a board's assembler leaves to viper.
_WITHOUT_KERNELS = ("records", "frames")
_IN_VIPER = {"keyword": ("thumb2", "rv32", "xtensa"), "wide": ("xtensa",)}


def kernel_sets(board, name):
    """The sets of kernels that must have answered a suite on a board."""
    if name in _WITHOUT_KERNELS:
        return set()
    fastest = fastest_kernel(board).replace("dsp", "thumb2")  # which differ in networks alone
    return {"plain", "viper"} | ({fastest} - set(_IN_VIPER.get(name, ())))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", list(suites.registered()))
def test_verify_on_every_target_finds_no_mismatch(board, name):
    board.reboot()  # as `kittiwake verify` does: on a small board, no suite sees what another left on the heap
    suite = suites.registered()[name]
    count = suite.count if SOAK or board.name == "unix" else max(6, suite.count // 10)
    result = compare.verify(board, suite, count=count)
    assert result.vectors >= count
    assert result.mismatches == 0, result.first
    assert set(result.kernel_sets) == kernel_sets(board, name), result.kernels


@pytest.mark.timeout(300)
def test_verify_where_the_boards_assembler_is_missing_fails_and_takes_no_other(request, monkeypatch, capsys):
    """Regression: viper's answers stood for those of a module that the board had refused, and nothing told."""
    refuse_or_skip(request.config, "qemu:xtensa")
    files = kittiwake.firmware_files()
    del files["kittiwake_node/kernels/xtensa_summary.mpy"]
    monkeypatch.setattr(kittiwake, "firmware_files", lambda: files)
    command = ["verify", "--target", "qemu:xtensa", "--suite", "zscore", "--count", "6", "--json"]
    assert app.run(command) == EXIT_VERIFICATION
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert (result["vectors"], result["mismatches"]) == (6, 2)
    assert "kernel 'xtensa' has no summary" in result["first"]["got"]
    assert {module.partition("_")[0] for module in result["kernels"]} == {"plain", "viper"}


def test_verify_says_which_kernels_answered(capsys):
    assert app.run(["verify", "--suite", "zscore", "--suite", "frames", "--count", "3"]) == EXIT_OK
    zscore, frames = capsys.readouterr().out.splitlines()
    assert zscore.endswith("0 mismatches  plain, viper")  # no assembler on the unix port
    assert frames.endswith("0 mismatches")


@pytest.mark.timeout(300)
@pytest.mark.board("unix", "qemu:*")  # the command leaves what is on a real board as it is
def test_verify_command_with_a_mutated_constant_exits_5_and_shows_the_first_mismatch(
    target_name, monkeypatch, capsys, name="records"
):
    assert app.run(["verify", "--target", target_name, "--suite", name, "--count", "3"]) == EXIT_OK
    path, right, wrong = _MUTATIONS[name]
    files = kittiwake.firmware_files()
    assert files[path].count(right) == 1
    monkeypatch.setattr(kittiwake, "firmware_files", lambda: files | {path: files[path].replace(right, wrong)})
    capsys.readouterr()
    status = app.run(["verify", "--target", target_name, "--suite", name, "--count", "3", "--json"])
    assert status == EXIT_VERIFICATION
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["mismatches"] == 3
    assert result["first"]["about"] == "record 0"
    assert result["first"]["got"] != result["first"]["expected"]


@pytest.mark.parametrize("name", list(_MUTATIONS))
def test_verify_suite_finds_a_mutated_constant(name, monkeypatch, capsys):
    path, right, wrong = _MUTATIONS[name]
    files = kittiwake.firmware_files()
    assert files[path].count(right) == 1
    monkeypatch.setattr(kittiwake, "firmware_files", lambda: files | {path: files[path].replace(right, wrong)})
    assert app.run(["verify", "--suite", name]) == EXIT_VERIFICATION
    assert "expected" in capsys.readouterr().out
