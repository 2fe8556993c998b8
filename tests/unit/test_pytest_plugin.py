"""The pytest plugin, as somebody with tests of their own uses it: in a folder that knows nothing of this project."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

TESTS = """
import pytest

def test_adds(board):
    assert board.eval("1 + 1") == 2

def test_has_nothing_but_micropython(board):
    assert board.lacks("import:kittiwake_node", "import:json") == ["import:kittiwake_node"]

@pytest.mark.board("moon:*")
def test_of_another_kind(board):
    raise AssertionError("not wanted here")

def test_of_its_own(board_name):
    assert board_name in ("unix", "qemu:virt")
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "test_mine.py").write_text(TESTS)

    def run(*arguments, **environment):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", str(tmp_path), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **environment}, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    run.folder = tmp_path
    return run


def test_plugin_runs_tests_on_unix_by_default(run):
    status, output = run()
    assert status == 0, output
    assert "3 passed, 1 deselected" in output


def test_plugin_board_named_twice_runs_once(run):
    assert "3 passed" in run("--board", "unix", "--board", "unix")[1]


def test_plugin_named_board_that_cannot_start_is_an_error_with_its_mend(run):
    status, output = run("--board", "/dev/ttyUSB99")
    assert status == 1
    assert "3 errors" in output and "passed" not in output
    assert "/dev/ttyUSB99 is not there; plug the board in" in output


def test_plugin_all_skips_by_name_what_cannot_start(run, tmp_path):
    # No firmware is built in an empty cache, so the emulated boards cannot start.
    status, output = run("--board", "all", KITTIWAKE_CACHE=str(tmp_path / "cache"))
    assert status == 0, output
    assert "3 passed" in output
    assert "qemu:virt cannot start here: " in output and "run `make boards`" in output


def test_plugin_board_named_besides_all_is_an_error_when_it_cannot_start(run, tmp_path):
    status, output = run("--board", "all", "--board", "qemu:virt", KITTIWAKE_CACHE=str(tmp_path / "cache"))
    assert status == 1
    assert "3 passed" in output and "3 errors" in output


def test_plugin_unknown_board_stops_before_any_test(run):
    status, output = run("--board", "moon")
    assert status == 4
    assert "no target is called 'moon'" in output


def test_plugin_only_boards_leaves_out_tests_without_one(run):
    (run.folder / "test_other.py").write_text("def test_other():\n    pass\n")
    assert "4 passed, 1 deselected" in run()[1]
    assert "3 passed, 2 deselected" in run("--only-boards")[1]


def test_plugin_port_that_pytest_takes_for_a_folder_of_tests_is_refused(tmp_path):
    master, slave = os.openpty()
    path = os.ttyname(slave)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--board", path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    os.close(master)
    os.close(slave)
    assert done.returncode == 4
    assert f"write --board={path}" in done.stdout + done.stderr


NEEDS = """
import pytest

@pytest.mark.board(needs=["viper", "floats", "heap>64k", "import:json", "power"])
def test_has_all(board):
    assert board.exec("print(6 * 7)") == "42\\n"

@pytest.mark.board(needs=["bluetooth", "heap>900M"])
def test_lacks(board):
    raise AssertionError("cannot run here")

@pytest.mark.board(needs=["heap>?"])
def test_needs_nonsense(board):
    raise AssertionError("cannot be asked for")
"""


def test_plugin_skips_what_a_board_lacks_by_name(run):
    (run.folder / "test_mine.py").write_text(NEEDS)
    status, output = run()
    assert "1 passed, 1 skipped, 1 error" in output, output
    assert "unix lacks bluetooth, heap>900M (it has " in output
    assert "'heap>?' is no need of a test; name one as i2c, heap>64k or import:asyncio" in output


BAD = """
def test_hangs(board):
    board.exec("print('before')\\nwhile True: pass", timeout_s=0.5)

def test_raises(board):
    assert board.eval("6 * 7") == 42
    board.exec("def inner():\\n    raise ValueError('of mine')\\nprint('just before')\\ninner()")

def test_ends(board):
    board.exec("import os\\nos.system('kill -9 $PPID')\\nwhile True: pass")

def test_floods(board):
    board.exec("while True: print('x' * 100)", timeout_s=30)

def test_leaks(board):
    board.exec("kept = []\\ndef step(): kept.append(bytearray(1000))")
    with board.steady_heap():
        board.exec("for _ in range(10): step()")

def test_runs_out_of_memory(board):
    board.exec("kept = []\\nwhile True: kept.append(bytearray(10000))")

def test_loses_power(board):
    board.cut_power()
    board.exec("print(1)")

def test_is_well(shared_board):
    assert shared_board.exec("print(1)") == "1\\n"
"""


def test_plugin_tells_each_fault_as_what_it_is_and_gives_the_next_test_a_good_board(run):
    # Regression: after one hang every later test died of "write to closed file".
    (run.folder / "test_mine.py").write_text(BAD)
    status, output = run()
    assert status == 1
    assert "7 failed, 1 passed" in output and "closed file" not in output, output
    assert "no answer from the board within 0.5 s" in output
    assert "What the board said" in output and "line 2, in inner" in output and "ValueError: of mine" in output
    # Regression: what the code had printed before its exception, or before it hung, was not shown.
    consoles = output.split("Console of unix")
    assert any("just before\nTraceback" in text for text in consoles), output
    assert any(text.splitlines()[1:2] == ["before"] for text in consoles), output
    assert "the board died" in output
    assert "printed more than 1,048,576 bytes" in output
    assert "unix leaks: its heap grew by 10," in output
    assert "MemoryError: memory allocation failed" in output
    assert "the board is off" in output
    assert "Console of unix" in output


FIGURES = """
def test_counts(board, figures):
    figures["steps"] = board.eval("{steps}")

def test_fails(board):
    board.exec("print('last words')")
    assert board.eval("1") == 2
"""


def test_plugin_reports_boards_and_figures_and_fails_what_has_grown(run):
    def run_with(steps, *arguments):
        (run.folder / "test_mine.py").write_text(FIGURES.replace("{steps}", str(steps)))
        return run("--hil-json", "report.json", "--junitxml", "junit.xml", *arguments)[1]

    assert "1 failed, 1 passed" in run_with(100, "--hil-html", "page.html")
    page = (run.folder / "page.html").read_text()
    assert "steps: 100" in page and "last words" in page
    kept = sorted((run.folder / "page-files").iterdir())
    assert [path.name.rpartition(".call.")[2] for path in kept] == ["console.txt", "health.json"]
    assert all(f'href="page-files/{path.name}"' in page for path in kept)
    assert kept[0].read_text() == "last words\n1\n" and json.loads(kept[1].read_text())["heap_used"] > 0
    report = json.loads((run.folder / "report.json").read_text())
    passed, failed = report["tests"]
    assert (passed["board"], passed["outcome"], passed["figures"]) == ("unix", "passed", {"steps": 100})
    assert passed["micropython"].startswith("micropython 1.") and passed["cpu"]
    assert [one["row"] for one in (passed, failed)] == ["test_mine.py::test_counts", "test_mine.py::test_fails"]
    assert sorted(failed["files"]) == ["console", "health"] and passed["files"] == {}
    assert failed["outcome"] == "failed" and "last words" in failed["console"] and "assert 1 == 2" in failed["why"]
    case = ElementTree.parse(run.folder / "junit.xml").find(".//testcase[@name='test_counts[unix]']")
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert properties["board"] == properties["target"] == "unix" and properties["figure:steps"] == "100"
    case = ElementTree.parse(run.folder / "junit.xml").find(".//testcase[@name='test_fails[unix]']")
    assert f"page-files/{kept[0].name}" in [one.get("value") for one in case.iter("property")]
    assert properties["micropython"] == passed["micropython"]
    (run.folder / "report.json").rename(run.folder / "before.json")
    assert "1 failed, 1 passed" in run_with(105, "--hil-baseline", "before.json")
    grown = run_with(106, "--hil-baseline", "before.json")
    assert "2 failed" in grown and "steps is 106, 6.0 % more than 100" in grown
    assert "1 failed, 1 passed" in run_with(106, "--hil-baseline", "before.json", "--hil-growth", "6")
    assert "no report of an earlier run" in run_with(1, "--hil-baseline", "junit.xml")


def test_plugin_leaves_figures_of_another_project_alone(run):
    (run.folder / "test_mine.py").write_text(
        "import pytest\n@pytest.fixture\ndef figures():\n    return print\ndef test_mine(figures):\n    figures('x')\n"
    )
    assert "1 passed" in run()[1]


def test_plugin_shares_tests_among_workers_and_reports_all_of_them(run):
    # Each worker has a virtual board of its own; a board that there is one of belongs to one worker.
    (run.folder / "test_mine.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_counts(board, figures, n):\n"
        "    figures['n'] = board.eval(f'{n} + 1')\n"
    )
    status, output = run("-n", "2", "--hil-json=report.json")
    assert status == 0 and "6 passed" in output, output
    tests = json.loads((run.folder / "report.json").read_text())["tests"]
    assert sorted(entry["figures"]["n"] for entry in tests) == [1, 2, 3, 4, 5, 6]
    status, output = run("-n", "2", "--board=/dev/ttyUSB99")
    assert status == 4 and "leave out -n, or add --dist loadgroup" in output
    status, output = run("-n", "2", "--board=/dev/ttyUSB99", "--dist", "loadgroup")
    assert status == 1 and "6 errors" in output, output
