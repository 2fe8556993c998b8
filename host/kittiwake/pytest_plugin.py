"""A pytest plugin: tests that take a board, and `--board NAME` to say which; this project's own tests use it too.

    def test_board_adds(board):
        assert board.eval("1 + 1") == 2

    pytest --board unix --board qemu:virt --board /dev/ttyUSB0

`board` is a started `kittiwake.hil.Board`, booted anew for each test; `shared_board` is the same one as it is. It has
nothing on it but MicroPython; a board on a port is left as it was found. A board that was asked for by its name and
cannot start is an error; `--board all` means every virtual and emulated one, and skips by name those that cannot start
here. The mark `board` says where a test runs, and what it needs::

    @pytest.mark.board("qemu:*", "unix", needs=["viper", "heap>64k"])

`figures` keeps numbers: `figures["push"] = board.instructions("ring.push(1)")`. They are in the JUnit report and in
`--hil-json FILE`; with `--hil-baseline FILE`, one that has grown fails its test. `--hil-html FILE` is a page of all,
beside which lies what was kept of the board of each failed test. `--hil-coverage FILE` has the lines that ran.

It knows boards and pytest. What a test does with its board, and what runs on it, is the test's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from kittiwake import pytest_plugin_figures as figures_plugin
from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.hil import bench, opening, report
from kittiwake.hil.board import Board
from kittiwake.hil.traced import Traced
from kittiwake.pytest_plugin_coverage import Coverage
from kittiwake.pytest_plugin_failures import Failures
from kittiwake.target import names
from kittiwake.target.base import is_port

ALL = "all"
_DEFAULT = ["unix"]
_ANSWER_S = 5.0
_BENCH = pytest.StashKey[bench.Bench]()
_COVERAGE = pytest.StashKey[Coverage]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("kittiwake", "tests with a board (kittiwake)")
    add = group.addoption
    where = "unix, qemu:BOARD, a port, a board of the bench, any, any:WORD+WORD, or all"
    add(
        "--board",
        action="append",
        metavar="NAME",
        dest="kittiwake_boards",
        help=f"where tests with a board run: {where}; repeat it for several (default: unix)",
    )
    add("--only-boards", action="store_true", help="leave out every test that takes no board")
    add("--bench", metavar="FILE", help=f"what stands on the bench (default: {bench.FILE} here, or in the root)")
    add("--board-wait", type=float, default=60.0, metavar="S", help="seconds to wait for a board that others have")
    add("--flash-boards", action="store_true", help="flash boards whose bench names a MicroPython, whatever they run")
    add("--count-instructions", action="store_true", help="emulated boards count what they execute; slower")
    add("--hil-json", metavar="FILE", help="write what each test did on each board, with figures, as JSON")
    add("--hil-html", metavar="FILE", help="write a page of tests and boards; what is kept of failures goes beside it")
    add("--hil-coverage", metavar="FILE", help="write which lines ran on boards, as coverage.py's data; slower")
    add("--hil-baseline", metavar="FILE", help="fail tests whose figures have grown since that report (--hil-json)")
    add("--hil-growth", type=float, default=5.0, metavar="PERCENT", help="by which a figure may grow (default: 5)")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse names that are no board's before anything runs."""
    config.addinivalue_line(
        "markers",
        "board(*patterns, needs=[]): only on boards of such names, e.g. 'qemu:*'; skipped where a need is lacking",
    )
    try:
        config.stash[_BENCH] = _read_bench(config)
        earlier = config.getoption("--hil-baseline")
        baseline = report.read_figures(Path(earlier)) if earlier else {}
        for name in config.getoption("kittiwake_boards") or ():
            if name != ALL:
                opening.find(name, config.stash[_BENCH])
            # Before pytest knows this option it takes what looks like a path for one of tests.
            if name.startswith("/dev/") and config.rootpath.is_relative_to("/dev"):
                raise UsageError(f"pytest takes {config.rootpath} for the folder of the tests", f"write --board={name}")
        if config.getoption("numprocesses", None) and config.getoption("dist", "") != "loadgroup":
            for name in chosen(config):
                if not _is_own(config, name):
                    mend = "leave out -n, or add --dist loadgroup"
                    raise UsageError(f"only one worker can hold the board at {name}", mend)
    except KittiwakeError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(figures_plugin.Figures(baseline, config.getoption("--hil-growth")))
    data, html = (Path(name) if name else None for name in map(config.getoption, ("--hil-json", "--hil-html")))
    if (data or html) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(figures_plugin.RunReport(data, html, baseline))
    _register_services(config)
    _register_coverage(config)
    config.pluginmanager.register(Failures(html.with_name(f"{html.stem}-files").absolute() if html else None))


def _register_services(config: pytest.Config) -> None:
    """Let pytest-embedded, where it is loaded, know the service `kittiwake`; last, so that its `dut` can be ours."""
    if "kittiwake" in (config.getoption("embedded_services", "") or ""):
        from kittiwake.hil import embedded

        embedded.register()
        config.pluginmanager.register(embedded)


def _register_coverage(config: pytest.Config) -> None:
    if file := config.getoption("--hil-coverage"):
        worker = getattr(config, "workerinput", {}).get("workerid", "")
        try:
            config.stash[_COVERAGE] = Coverage(Path(file), worker)
        except KittiwakeError as error:
            raise pytest.UsageError(str(error)) from error
        config.pluginmanager.register(config.stash[_COVERAGE])


def _read_bench(config: pytest.Config) -> bench.Bench:
    named = config.getoption("--bench")
    if named:
        return bench.read(Path(named))
    places = (config.invocation_params.dir / bench.FILE, config.rootpath / bench.FILE)
    path = next((place for place in places if place.is_file()), None)
    return bench.read(path) if path is not None else bench.Bench()


def chosen(config: pytest.Config) -> list[str]:
    """List the boards that this run asks for, each once, in the order of the command line.

    Args:
        config: pytest's.

    Returns:
        Their names, `all` spelled out.
    """
    words = config.getoption("kittiwake_boards") or _DEFAULT
    return list(dict.fromkeys(name for word in words for name in (names() if word == ALL else [word])))


def was_named(config: pytest.Config, name: str) -> bool:
    """Whether this run asks for that board by name, or by default, and not only by `all`.

    Args:
        config: pytest's.
        name: of the board.
    """
    return name in (config.getoption("kittiwake_boards") or _DEFAULT)


def refuse_or_skip(config: pytest.Config, name: str) -> None:
    """Fail the test at hand when its board cannot start and was named; skip it when it came by `all` only.

    Args:
        config: pytest's.
        name: of the board.
    """
    problems = [opening.problem(described) for described in opening.find(name, config.stash[_BENCH])]
    problem = problems[0]
    if problem is None or None in problems:
        return
    if was_named(config, name):
        pytest.fail(f"{name} cannot start here: {problem}", pytrace=False)
    pytest.skip(f"{name} cannot start here: {problem}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that takes a board on each one asked for, all tests of one board in a row."""
    if "kittiwake_board" in metafunc.fixturenames:
        metafunc.parametrize("kittiwake_board", chosen(metafunc.config), scope="session", indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what its mark `board` does not want: it was not asked for there, so it is not skipped either."""
    only = config.getoption("--only-boards")
    left_out = [item for item in items if not _is_wanted(item, only)]
    if left_out:
        items[:] = [item for item in items if _is_wanted(item, only)]
        config.hook.pytest_deselected(items=left_out)
    shares = config.pluginmanager.hasplugin("xdist")
    for item in items:
        if name := _board_of(item):
            item.user_properties += [
                (figures_plugin.ROW, figures_plugin.row_of(item, name)),
                (figures_plugin.TARGET, name),
            ]
            if shares and not _is_own(config, name):  # one worker holds a board that there is one of
                item.add_marker(pytest.mark.xdist_group(name))


def _board_of(item: pytest.Item) -> str:
    name: str = item.callspec.params.get("kittiwake_board", "") if hasattr(item, "callspec") else ""
    return name


def _is_own(config: pytest.Config, name: str) -> bool:
    """Whether each run, and each worker of it, starts that board for itself."""
    found = opening.find(name, config.stash[_BENCH])
    return not any(described.tunnel or is_port(described.target) for described in found)


def _is_wanted(item: pytest.Item, only: bool) -> bool:
    name = _board_of(item)
    patterns = [pattern for mark in item.iter_markers("board") for pattern in mark.args]
    if not name:
        return not only
    return not patterns or any(fnmatch(name, pattern) for pattern in patterns)


@pytest.fixture(scope="session")
def kittiwake_board(request: pytest.FixtureRequest) -> str:
    """One of the names that the run asks for."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def board_name(request: pytest.FixtureRequest, kittiwake_board: str) -> str:
    """Name of a board that can start here: for tests that open one of their own."""
    refuse_or_skip(request.config, kittiwake_board)
    return kittiwake_board


@pytest.fixture(scope="session")
def kittiwake_opened(request: pytest.FixtureRequest, board_name: str) -> Iterator[Board]:
    """The board of that name, open for the whole run."""
    option = request.config.getoption
    try:
        opened = opening.open_board(
            board_name,
            request.config.stash[_BENCH],
            option("--board-wait"),
            option("--count-instructions"),
            option("--flash-boards"),
            bool(option("--hil-coverage")),
        )
        opened.start()
        opened.lacks()  # which boots it anew the first time: not in the middle of a test
    except KittiwakeError as error:
        pytest.fail(f"{board_name} cannot start here: {error}", pytrace=False)
    yield opened
    opened.stop()
    if isinstance(opened, Traced):
        request.config.stash[_COVERAGE].add(opened)


@pytest.fixture
def shared_board(request: pytest.FixtureRequest, kittiwake_opened: Board) -> Board:
    """A started `kittiwake.hil.Board` as the test before left it, with what its mark `board` needs; else a skip."""
    board = kittiwake_opened
    try:
        board.exec("", _ANSWER_S)
    except KittiwakeError:
        board.reset()
    board.forget_console()
    for key, value in (
        ("board", board.name),
        ("micropython", board.facts["implementation"]),
        ("cpu", board.facts["cpu"]),
    ):
        request.node.user_properties.append((key, value))
    needs = [need for mark in request.node.iter_markers("board") for need in mark.kwargs.get("needs", ())]
    if needs and (lacking := board.lacks(*needs)):
        pytest.skip(f"{board.name} lacks {', '.join(lacking)}")
    return board


@pytest.fixture
def board(shared_board: Board) -> Board:
    """A started `kittiwake.hil.Board`, booted anew for this test: no name of another test is left on it."""
    shared_board.reset()
    shared_board.forget_console()
    return shared_board


@pytest.fixture
def figures() -> dict[str, float]:
    """Numbers of this test, by name, for the reports; held against `--hil-baseline` when the test has passed."""
    return figures_plugin.Numbers()
