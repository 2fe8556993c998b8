"""Tests over several processes: who gets which, what happens when one dies, and that nothing of the report is lost."""

import os
import subprocess
import sys

import pytest

from tests.support.parallel import units
from tests.support.parallel.scheduler import UnitScheduling
from tests.support.parallel.units import Unit

ROOT = units.RECORD.parents[1]
TARGETS = ["unix", "qemu:mps2-an385", "qemu:virt"]


@pytest.mark.parametrize(
    ("test_id", "unit"),
    [
        ("tests/unit/test_a.py::test_x", ("tests/unit/test_a.py", "")),
        ("tests/hil/test_a.py::test_x[qemu:virt]", ("tests/hil/test_a.py", "qemu:virt")),
        ("tests/hil/test_a.py::test_x[3-qemu:mps2-an385-zscore]", ("tests/hil/test_a.py", "qemu:mps2-an385")),
        ("tests/hil/test_a.py::test_x[unixoid-qemu:virtual]", ("tests/hil/test_a.py", "")),
        ("tests/hil/test_a.py::test_of_unix[1]", ("tests/hil/test_a.py", "")),
    ],
)
def test_unit_of_a_test_is_its_file_and_the_target_among_its_parameters(test_id, unit):
    assert units.unit_of(test_id, TARGETS) == unit


def test_choose_keeps_the_target_then_takes_a_free_one_then_what_needs_none():
    waiting = {
        Unit("a", "unix"): 5.0,
        Unit("b", "unix"): 7.0,
        Unit("a", "qemu:virt"): 9.0,
        Unit("b", "qemu:virt"): 4.0,
        Unit("c", ""): 70.0,
        Unit("d", ""): 80.0,
    }
    assert units.choose(waiting, "unix", {"qemu:virt"}) == ("b", "unix")
    assert units.choose(waiting, "", {"qemu:virt"}) == ("b", "unix")
    assert units.choose(waiting, "", set()) == ("a", "qemu:virt"), "the target with most work first"
    assert units.choose(waiting, "", {"unix", "qemu:virt"}) == ("d", "")


def test_choose_starts_a_second_board_of_a_target_only_for_what_is_worth_it():
    assert units.choose({Unit("a", "unix"): 9.0}, "qemu:virt", {"unix"}) is None
    assert units.choose({Unit("a", "unix"): 9.0, Unit("b", "unix"): 2.0}, "qemu:virt", {"unix"}) == ("a", "unix")


def test_record_keeps_the_others_and_drops_what_is_short_or_gone(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/a.py").touch()
    path = tmp_path / "tests/durations.json"
    units.store_record({"tests/a.py": 3.21, "tests/a.py unix": 0.4, "tests/gone.py": 9.0}, path)
    units.store_record({"tests/a.py qemu:virt": 2.0}, path)
    assert units.load_record(path) == {"tests/a.py": 3.2, "tests/a.py qemu:virt": 2.0}
    assert units.seconds_of(Unit("tests/a.py", ""), 9, units.load_record(path)) == 3.2
    assert units.seconds_of(Unit("tests/b.py", ""), 20, {}) == 2.0


class Node:
    """A worker of pytest-xdist, as far as the scheduler sees it."""

    def __init__(self):
        self.sent = []
        self.shutting_down = False

    def send_runtest_some(self, indices):
        assert not self.shutting_down
        self.sent += indices

    def shutdown(self):
        self.shutting_down = True


def started(ids, record):
    scheduling = UnitScheduling(2, TARGETS, record)
    nodes = [Node(), Node()]
    for node in nodes:
        scheduling.add_node(node)
    for node in nodes:
        assert not scheduling.collection_is_completed
        scheduling.add_node_collection(node, ids)
    scheduling.schedule()
    return scheduling, nodes


def run(scheduling, nodes, seconds, ids):
    """Let the workers take their tests for as long as these last; the ids of each, and when it ended."""
    at, ran = [0.0, 0.0], [[], []]
    while True:
        able = [i for i, node in enumerate(nodes) if len(node.sent) > len(ran[i]) + (not node.shutting_down)]
        if not able:
            return ran, at
        i = min(able, key=lambda i: at[i])
        index = nodes[i].sent[len(ran[i])]
        at[i] += seconds[ids[index]]
        ran[i].append(ids[index])
        scheduling.mark_test_complete(nodes[i], index)


def test_scheduling_runs_every_test_once_keeps_targets_together_and_ends_even():
    seconds = {f"{file}.py::t{n}[{target}]": 1.0 for file in "abcdef" for target in TARGETS for n in range(5)}
    seconds |= {f"loose{i}.py::t{n}": 0.25 for i in range(40) for n in range(3)}
    ids = list(seconds)
    record = {}
    for test_id, value in seconds.items():
        key = units.unit_of(test_id, TARGETS).key
        record[key] = record.get(key, 0) + value
    scheduling, nodes = started(ids, record)
    ran, ends = run(scheduling, nodes, seconds, ids)
    assert sorted(ran[0] + ran[1]) == sorted(ids)
    assert scheduling.tests_finished and not scheduling.has_pending
    assert abs(ends[0] - ends[1]) <= 2
    for target in TARGETS:
        assert sum(any(f"[{target}]" in test_id for test_id in one) for one in ran) == 1
    for one in ran:  # a file's tests stand together, in their order
        for unit in {units.unit_of(test_id, TARGETS) for test_id in one}:
            places = [i for i, test_id in enumerate(one) if units.unit_of(test_id, TARGETS) == unit]
            assert places == list(range(places[0], places[-1] + 1))
            assert [one[i] for i in places] == [i for i in ids if units.unit_of(i, TARGETS) == unit]


def test_scheduling_of_a_dead_worker_names_the_test_and_gives_the_rest_to_another():
    ids = [f"a.py::t{n}" for n in range(6)] + [f"b.py::t{n}" for n in range(6)]
    scheduling, nodes = started(ids, {})
    first = nodes[0].sent[0]
    scheduling.mark_test_complete(nodes[0], first)
    assert scheduling.remove_node(nodes[0]) == ids[nodes[0].sent[1]]
    ran, _ = run(scheduling, [Node(), nodes[1]], dict.fromkeys(ids, 1.0), ids)
    assert sorted(ran[1]) == sorted(set(ids) - {ids[i] for i in nodes[0].sent[:2]})


def test_scheduling_of_different_collections_refuses():
    scheduling = UnitScheduling(2, TARGETS, {})
    for ids in (["a.py::t0"], ["a.py::t1"]):
        node = Node()
        scheduling.add_node(node)
        scheduling.add_node_collection(node, ids)
    with pytest.raises(RuntimeError, match="different tests"):
        scheduling.schedule()


TESTS = """
import os, time, pytest
from tests.support import cut_tally

@pytest.mark.parametrize("n", range(20))
def test_counts(n):
    cut_tally.add("unix", 10, {"lost": 1})

def test_dies():
    os._exit(3)

@pytest.mark.timeout(1)
def test_hangs():
    time.sleep(60)

def test_fails():
    assert "this" == "that"

def test_skips():
    pytest.skip("no reason at all")
"""
OTHERS = TESTS.partition("def test_dies")[0].replace('"unix"', '"qemu:virt"')
SUMMARY = "def pytest_unconfigure(config):\n    from tests.support import cut_tally\n    print(*cut_tally.lines())\n"


def run_pytest(folder, *arguments):
    (folder / "test_first.py").write_text(TESTS)
    (folder / "test_second.py").write_text(OTHERS)
    (folder / "conftest.py").write_text(SUMMARY)
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.parallel.plugin", "-p", "no:cacheprovider", "-ra"]
    done = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


def test_workers_sum_their_figures_and_say_what_each_file_gave(tmp_path):
    status, output = run_pytest(tmp_path, "-n", "2", "-k", "counts")
    assert status == 0, output
    assert "test_first.py: 20 passed [" in output and "test_second.py: 20 passed [" in output
    assert "40 passed" in output
    assert output.rstrip().endswith(
        "power cuts 400 (qemu:virt 200, unix 200): lost 40, altered 0, invented 0, reordered 0, reused 0, miscounted 0"
    )


def test_worker_that_dies_or_hangs_is_an_error_with_the_tests_name_and_its_stacks(tmp_path):
    status, output = run_pytest(tmp_path, "-n", "2", "--timeout-method", "thread", "test_first.py")
    assert status == 1, output
    assert "crashed while running 'test_first.py::test_dies'" in output
    assert "crashed while running 'test_first.py::test_hangs'" in output
    assert "time.sleep(60)" in output.partition("last words")[2]
    assert 'assert "this" == "that"' in output and "no reason at all" in output
    assert "3 failed, 20 passed, 1 skipped" in output


def test_workers_are_left_out_where_they_are_not_worth_it_and_refused_on_a_port(tmp_path):
    status, output = run_pytest(tmp_path, "-n", "auto", "-k", "counts")
    assert status == 0 and "created:" not in output and "40 passed" in output
    status, output = run_pytest(tmp_path, "-n", "2", "--board", "/dev/ttyUSB99")
    assert status != 0
    assert "only one worker can hold the board at /dev/ttyUSB99" in output
