"""A pytest plugin: tests that take a board, and `--target T` to say which; this project's own tests use it too.

It knows targets and pytest. What a test does with its board, and what runs on it, is the test's business.

    def test_board_adds(board):
        assert int(board.exec("print(1 + 1)")) == 2

    pytest --target unix --target qemu:virt --target /dev/ttyUSB0

`target` is a started board, the firmware on it, shared by the whole run; `board` is the same one, booted anew for each
test file. A target that was asked for by its name and cannot start is an error; `--target all` means every one of this
machine, and skips by name those that cannot start here. A board on a port is left as it was found.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fnmatch import fnmatch

import pytest

from kittiwake.errors import KittiwakeError, TargetError, UsageError
from kittiwake.target import Target, available, names
from kittiwake.target.visit import open_visited

ALL = "all"
_DEFAULT = ["unix"]
_CONSOLE_LINES = 64
_ANSWER_S = 5.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--target` and `--only-targets`."""
    group = parser.getgroup("kittiwake")
    group.addoption(
        "--target",
        action="append",
        metavar="T",
        dest="kittiwake_targets",
        help="where tests with a board run: unix, qemu:BOARD, a port, or all; repeat it for several (default: unix)",
    )
    group.addoption("--only-targets", action="store_true", help="leave out every test that takes no target")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse names that are no target's before anything runs."""
    config.addinivalue_line("markers", "targets(*patterns): only on targets whose names match one, e.g. 'qemu:*'")
    for name in config.getoption("kittiwake_targets") or ():
        if name != ALL:
            try:
                available(name)
            except UsageError as error:
                raise pytest.UsageError(str(error)) from error
            except KittiwakeError:
                pass  # its tests will say so
        # Before pytest knows this option it takes what looks like a path for one of tests.
        if name.startswith("/dev/") and config.rootpath.is_relative_to("/dev"):
            raise pytest.UsageError(
                f"pytest takes {config.rootpath} for the folder of the tests: write --target={name}"
            )


def chosen(config: pytest.Config) -> list[str]:
    """List the targets that this run asks for, each once, in the order of the command line.

    Args:
        config: pytest's.

    Returns:
        Their names, `all` spelled out.
    """
    words = config.getoption("kittiwake_targets") or _DEFAULT
    return list(dict.fromkeys(name for word in words for name in (names() if word == ALL else [word])))


def was_named(config: pytest.Config, name: str) -> bool:
    """Whether this run asks for that target by name, or by default, and not only by `all`.

    Args:
        config: pytest's.
        name: of the target.
    """
    return name in (config.getoption("kittiwake_targets") or _DEFAULT)


def refuse_or_skip(config: pytest.Config, name: str) -> None:
    """Fail the test at hand when its target cannot start and was named; skip it when it came by `all` only.

    Args:
        config: pytest's.
        name: of the target.
    """
    problem = available(name)
    if problem is None:
        return
    if was_named(config, name):
        pytest.fail(f"{name} cannot start here: {problem}", pytrace=False)
    pytest.skip(f"{name} cannot start here: {problem}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that takes a target on each one asked for, all tests of one target in a row."""
    if "kittiwake_target" in metafunc.fixturenames:
        metafunc.parametrize("kittiwake_target", chosen(metafunc.config), scope="session", indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what its mark `targets` does not want: it was not asked for there, so it is not skipped either."""
    only = config.getoption("--only-targets")
    left_out = [item for item in items if not _is_wanted(item, only)]
    if left_out:
        items[:] = [item for item in items if _is_wanted(item, only)]
        config.hook.pytest_deselected(items=left_out)


def _is_wanted(item: pytest.Item, only: bool) -> bool:
    name = item.callspec.params.get("kittiwake_target") if hasattr(item, "callspec") else None
    patterns = [pattern for mark in item.iter_markers("targets") for pattern in mark.args]
    if not name:
        return not only
    return not patterns or any(fnmatch(name, pattern) for pattern in patterns)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show of a failed test what its board said, and give the next one a board that answers."""
    report = yield
    board = getattr(item, "funcargs", {}).get("target")  # none that a test opened for itself: it knows what it does
    if call.excinfo is None or not report.failed:
        return report
    error = call.excinfo.value
    if isinstance(error, TargetError) and error.traceback:
        report.sections.append(("What the board said", error.traceback))
    if isinstance(board, Target):
        printed = board.node_text().strip()
        if printed:
            report.sections.append((f"Console of {board.name}", "\n".join(printed.splitlines()[-_CONSOLE_LINES:])))
        problem = _revive(board)
        if problem:
            report.sections.append((f"Board {board.name}", problem))
    return report


def _revive(board: Target) -> str:
    """Reboot a board that does not answer; gives what is wrong when that does not help. A node is left alone."""
    if board.node_is_running:
        return ""
    try:
        board.exec("", _ANSWER_S)
        return ""
    except KittiwakeError:
        pass
    try:
        board.reboot()
    except KittiwakeError as error:
        return f"it does not answer any more: {error}"
    return ""


@pytest.fixture(scope="session")
def kittiwake_target(request: pytest.FixtureRequest) -> str:
    """One of the names that the run asks for."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def target_name(request: pytest.FixtureRequest, kittiwake_target: str) -> str:
    """Name of a target that can start here: for tests that open one of their own."""
    refuse_or_skip(request.config, kittiwake_target)
    return kittiwake_target


@pytest.fixture(scope="session")
def target(target_name: str) -> Iterator[Target]:
    """A started target with the firmware on it. Shared: leave it as it was, or take `board`."""
    with open_visited(target_name) as opened:
        opened.deploy_firmware()
        yield opened


@pytest.fixture(scope="module")
def board(target: Target) -> Target:
    """The target, booted anew for this test file: no node runs, and no name of another file's is left on it."""
    target.reboot()
    return target
