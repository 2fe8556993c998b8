"""`kittiwake bench`: figures that are the same in every run where instructions are counted, and that see a no-op."""

import json

import pytest

import kittiwake
from kittiwake import bench, benches, cli
from kittiwake.errors import EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION
from kittiwake.target import open_target

KERNEL = "kittiwake_node/kernels/thumb2_zscore.py"
LOOP = b"    label(loop)\n"
CASE = "zscore/thumb2/20"


def measure(name, *cases):
    with open_target(name, count=True) as board:
        known = benches.all_cases(board.facts()["arch"])
        return {row.case: row for row in bench.run(board, [known[case] for case in cases])}


@pytest.mark.timeout(300)
@pytest.mark.targets("qemu:*")
def test_bench_command_twice_on_an_emulated_board_is_identical(target_name, capsys):
    outputs = []
    for _ in range(2):
        assert cli.run(["bench", "--target", target_name, "--json"]) == EXIT_OK
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    rows = json.loads(outputs[0])["rows"]
    assert len(rows) >= 10
    assert {row["unit"] for row in rows} == {"instructions"}
    assert all(row["cost"] > 1 for row in rows)
    assert [row["case"] for row in rows if row["within"] is False] == []
    assert any(row["budget"] for row in rows)


@pytest.mark.targets("qemu:mps2-an385", "qemu:netduino2")
def test_bench_of_a_kernel_with_no_ops_in_its_loop_differs_by_them(target_name, monkeypatch):
    files = kittiwake.firmware_files()
    assert files[KERNEL].count(LOOP) >= 1
    before = measure(target_name, CASE)[CASE].cost
    slower = files[KERNEL].replace(LOOP, LOOP + 3 * b"    nop()\n", 1)
    monkeypatch.setattr(kittiwake, "firmware_files", lambda: files | {KERNEL: slower})
    assert measure(target_name, CASE)[CASE].cost == pytest.approx(before + 3, abs=0.02)  # 4 instructions in 256 samples


def test_bench_elsewhere_gives_time(capsys):
    assert cli.run(["bench", "--case", "zscore/viper", "--case", "record", "--json"]) == EXIT_OK
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["case"] for row in rows} == {"zscore/viper/20", "zscore/viper/256", "record/seal"}
    assert all(row["unit"] == "us" and row["cost"] > 0 for row in rows)


def test_bench_of_an_unknown_case_lists_the_known(capsys):
    assert cli.run(["bench", "--case", "moon"]) == EXIT_USAGE
    assert "record/seal" in capsys.readouterr().err


def test_bench_check_exits_5_when_something_is_over_its_budget(monkeypatch, capsys):
    one = benches.Case("slow", "def make(storage):\n    return sum, ([1, 2],)\n", "turn", budget=0)
    monkeypatch.setattr(benches, "all_cases", lambda arch: {"slow": one})
    assert cli.run(["bench", "--check"]) == EXIT_VERIFICATION
    assert "OVER" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nonsense", ""])
def test_bench_of_an_unknown_target_exits_2(name):
    assert cli.run(["bench", "--target", name]) == EXIT_USAGE
