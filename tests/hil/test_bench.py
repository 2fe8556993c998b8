"""`kittiwake bench`: figures that are the same in every run where instructions are counted, and that see a no-op."""

import json
import random
import shutil
from array import array
from fractions import Fraction
from importlib import util

import pytest

import kittiwake
from kittiwake.bench import cases, measure, ratios
from kittiwake.bench.cases import detectors
from kittiwake.cli import app
from kittiwake.errors import EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION
from kittiwake.reference import zscore
from kittiwake.target import open_target
from tools.assemble import project

KERNEL = "kittiwake_node/kernels/thumb2_zscore.py"
SOURCE = "thumb2/zscore.S"
LOOP = "    start_plain\n"  # a macro that ends within the loop
CASE = "zscore/thumb2/20"
AGAIN = 5  # a fifth


def measured(name, *wanted):
    with open_target(name, count=True) as board:
        facts = board.facts()
        known = cases.registered(facts["arch"], facts["cpu"])
        return {row.case: row for row in measure.run(board, [known[case] for case in wanted])}


@pytest.mark.timeout(300)
@pytest.mark.board("qemu:mps2-an385", "qemu:xtensa")
def test_bench_command_again_on_an_emulated_board_is_identical(target_name, capsys):
    """Everything once, and of that a share again, drawn by chance."""
    rows = bench(target_name, capsys)
    names = [row["case"] for row in rows]
    drawn = random.SystemRandom().sample(names, len(names) // AGAIN)
    again = bench(target_name, capsys, *[word for name in drawn for word in ("--case", name)])
    assert {row["case"] for row in again} >= set(drawn)
    assert_the_same(rows, again)


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.board("qemu:*")
def test_bench_command_twice_is_identical(target_name, capsys):
    assert_the_same(*[bench(target_name, capsys) for _ in range(2)])


def bench(target_name, capsys, *words):
    assert app.run(["bench", "--target", target_name, "--json", *words]) == EXIT_OK
    return json.loads(capsys.readouterr().out)["rows"]


def assert_the_same(rows, again):
    by_case = {row["case"]: row for row in rows}
    for other in again:
        row = by_case[other["case"]]
        assert other == row or not row["exact"]
        # journal/read takes 58,800 among all cases, and 60,000 among some.
        assert other["cost"] == pytest.approx(row["cost"], rel=0.03), "where the heap is used, only nearly"
    assert sum(row["exact"] for row in rows) > len(rows) / 2
    assert len(rows) >= 10
    assert {row["unit"] for row in rows} == {"instructions", "bytes"}
    assert all(row["cost"] > 1 for row in rows)
    assert [row["case"] for row in rows if row["within"] is False] == []
    assert any(row["budget"] for row in rows)


@pytest.mark.needs("arm-none-eabi-gcc")
@pytest.mark.board("qemu:mps2-an385", "qemu:netduino2")
def test_bench_of_a_kernel_with_no_ops_in_its_loop_differs_by_them(target_name, monkeypatch, tmp_path):
    before = measured(target_name, CASE)[CASE].cost
    slower = kittiwake.firmware_files() | {KERNEL: kernel_with_no_ops(tmp_path, 3)}
    monkeypatch.setattr(kittiwake, "firmware_files", lambda: slower)
    assert measured(target_name, CASE)[CASE].cost == pytest.approx(
        before + 3, abs=0.02
    )  # 4 instructions in 256 samples


def kernel_with_no_ops(folder, count):
    """Assemble the kernel anew, with instructions in its loop that do nothing."""
    shutil.copytree(project.ROOT / project.SOURCES, folder / project.SOURCES)
    path = folder / project.SOURCES / SOURCE
    assert path.read_text().count(LOOP) == 1
    path.write_text(path.read_text().replace(LOOP, LOOP + count * "    nop\n"))
    return project.make(next(item for item in project.sources(folder) if item.path == path))


def test_bench_elsewhere_gives_time(capsys):
    assert app.run(["bench", "--case", "summary/viper", "--case", "record", "--json"]) == EXIT_OK
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["case"] for row in rows} == {"summary/viper", "record/seal"}
    assert all(row["unit"] == "us" and row["cost"] > 0 for row in rows)


def test_bench_of_an_unknown_case_lists_the_known(capsys):
    assert app.run(["bench", "--case", "moon"]) == EXIT_USAGE
    assert "record/seal" in capsys.readouterr().err


def test_bench_check_exits_5_when_something_is_over_its_budget(monkeypatch, capsys):
    one = cases.Case("slow", "def make(storage):\n    return sum, ([1, 2],)\n", "turn", budget=0)
    monkeypatch.setattr(cases, "registered", lambda arch, machine: {"slow": one})
    assert app.run(["bench", "--check"]) == EXIT_VERIFICATION
    assert "OVER" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nonsense", ""])
def test_bench_of_an_unknown_target_exits_2(name):
    assert app.run(["bench", "--target", name]) == EXIT_USAGE


def test_bench_on_unix_holds_viper_beside_the_guide_and_c(capsys):
    assert app.run(["bench", "--case", "ratio", "--json"]) == EXIT_OK
    rows = {row["case"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert {"ratio/guide", "ratio/viper", "ratio/guide-to-viper"} <= set(rows)
    assert rows["ratio/guide-to-viper"]["cost"] > 1
    if util.find_spec("pymicro_wakeword"):
        ratio = rows["ratio/okay_nabu/viper"]["cost"] / rows["ratio/okay_nabu/tflite-micro"]["cost"]
        assert rows["ratio/okay_nabu/viper-to-tflite-micro"]["cost"] == pytest.approx(ratio, abs=0.02)
    if shutil.which("gcc"):
        assert rows["ratio/viper-to-c"]["cost"] > 0


def test_ratios_take_the_same_alerts_from_the_guide_and_from_c(tmp_path):
    """What is timed must be the same detector: both against the reference, on a signal with alerts."""
    samples = detectors.noisy_samples(20) * 4
    wanted = [alert.index for alert in zscore.alerts(samples, 20, Fraction(5, 2))]
    guide = ratios.Guide()
    assert [i for i, x in enumerate(samples) if guide.push(float(x))] == wanted
    compiled = ratios.compile_c(tmp_path)
    if compiled is not None:
        data = array("h", samples)
        assert compiled(data.buffer_info()[0], len(data)) == len(wanted) > 10


@pytest.mark.board("qemu:*")
def test_bench_of_a_channel_with_alerts_costs_more_than_without(target_name):
    rows = measured(target_name, "channel/viper", "channel/viper/alerts")
    assert rows["channel/viper/alerts"].cost > rows["channel/viper"].cost + 10


def test_bench_of_states_is_within_what_is_allowed(capsys):
    assert app.run(["bench", "--case", "state", "--check", "--json"]) == EXIT_OK
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {"state/zscore/256", "state/drift", "state/novelty"} <= {row["case"] for row in rows}
    assert all(row["unit"] == "bytes" and 0 < row["cost"] <= row["budget"] for row in rows)


def test_bench_of_networks_has_each_kernel_and_the_models_at_hand(tmp_path, monkeypatch):
    pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")
    from tests.support.tflite_graphs import random_model

    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "mine.tflite").write_bytes(random_model(3, small=True)[0])
    monkeypatch.setenv("KITTIWAKE_DATA", str(tmp_path))
    sets = {"armv7em": {"viper", "thumb2", "dsp"}, "armv7m": {"viper", "thumb2"}, "rv32imc": {"viper", "rv32"}}
    for arch, kernels in (sets | {"x64": {"viper"}}).items():
        names = {name for name in cases.registered(arch) if name.startswith("network/")}
        wanted = {"okay_nabu", "okay_nabu/longest-layer", "ds_cnn", "mine"}
        assert names == {f"network/{kernel}/{end}" for kernel in kernels for end in wanted} | {
            "network/viper/ds_cnn_16x8"
        }
    with open_target("unix") as board:
        (row,) = measure.run(board, [cases.registered("x64")["network/viper/mine"]])
    assert row.cost > 0 and row.budget is None
