"""Ties units and their scheduler into pytest: how many workers a run is worth, and what the terminal shows of them."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from _pytest._io import TerminalWriter

from kittiwake.pytest_plugin import chosen
from kittiwake.target import names
from tests.support import tally
from tests.support.parallel import units

# Two workers need a few seconds more than one until they begin.
WORTH_WORKERS_S = 20.0
_LAST_WORDS = "kittiwake_last_words"


def pytest_addoption(parser):
    text = "write how long files took, by target, into tests/durations.json, by which workers share the tests"
    parser.addoption("--record-durations", action="store_true", help=text)


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker())
    elif config.getoption("numprocesses", None):
        config.pluginmanager.register(Workers(config))
    if config.getoption("--record-durations") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(config))


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config):
    """For `-n auto`: this process alone where several would take longer, else the default (one for each core)."""
    return None if expected_seconds(config, units.load_record()) > WORTH_WORKERS_S else 0


def expected_seconds(config, record):
    """What the named files and folders take by the record; tests chosen by id or `-k` are taken for few."""
    if config.option.keyword or any("::" in argument for argument in config.args):
        return 0.0
    here = config.invocation_params.dir
    paths = [(here / argument).resolve() for argument in config.args]
    targets = {"", *chosen(config)}
    total = 0.0
    for key, seconds in record.items():
        file, _, target = key.partition(" ")
        path = config.rootpath / file
        if target in targets and any(path == one or one in path.parents for one in paths):
            total += seconds
    return total


class Worker:
    """Hooks of a process that runs tests for another: what it writes to its terminal is kept, in case it dies.

    A test over its time ends the whole process, with the stacks of its threads as its last words (pytest-timeout).
    """

    def pytest_sessionstart(self, session):
        config = session.config
        self._file = open(config.workerinput[_LAST_WORDS], "w")  # noqa: SIM115 (open to the end)
        config.pluginmanager.get_plugin("terminalreporter")._tw = TerminalWriter(self._file)

    def pytest_runtest_setup(self):
        self._file.seek(0)
        self._file.truncate()

    def pytest_sessionfinish(self, session):
        session.config.workeroutput["tally"] = tally.take()


class Workers:
    """Hooks of the process that prints: the scheduler, and a line for each unit of tests in place of single dots."""

    def __init__(self, config):
        self._config = config
        self._targets = chosen(config)
        self._left = {}  # Unit -> ids that have not ended
        self._outcomes = {}  # Unit -> Counter of outcomes
        self._ended = self._total = 0
        self._folder = tempfile.TemporaryDirectory(prefix="kittiwake-tests-")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config):
        from tests.support.parallel.scheduler import UnitScheduling

        ports = set(self._targets) - set(names())
        if ports:
            raise pytest.UsageError(f"only one worker can hold the board at {min(ports)}: leave out -n")
        return UnitScheduling(config.option.numprocesses, self._targets, units.load_record())

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids):
        if not self._left:
            self._total = len(ids)
            for test_id in ids:
                self._left.setdefault(self._unit_of(test_id), set()).add(test_id)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self, report, config):
        category, letter, word = yield
        if config.get_verbosity() == 0:
            letter = ""
        return category, letter, word

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or not report.passed:
            outcome = "error" if report.failed and report.when in ("setup", "teardown") else report.outcome
            self._outcomes.setdefault(self._unit_of(report.nodeid), Counter())[outcome] += 1

    def pytest_runtest_logfinish(self, nodeid):
        self._end(nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        node.workerinput[_LAST_WORDS] = str(self._last_words(node))

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem, report):
        report.sections.append(("last words of the worker", self._last_words(report.node).read_text()))
        report.when = "call"
        self._end(crashitem)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        tally.absorb(getattr(node, "workeroutput", {}).get("tally", {}))

    def _last_words(self, node):
        return Path(self._folder.name) / node.gateway.id

    def _end(self, test_id):
        unit = self._unit_of(test_id)
        left = self._left[unit]
        left.discard(test_id)
        self._ended += 1
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if left or self._config.get_verbosity() != 0 or reporter is None:
            return
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self._outcomes.pop(unit, {}).items()))
        reporter.write_line(f"{unit.key}: {counts} [{100 * self._ended // self._total}%]")

    def _unit_of(self, test_id):
        return units.unit_of(test_id, self._targets)


class Recorder:
    """Hooks of `--record-durations`: the seconds of every unit that ran and passed, into the record."""

    def __init__(self, config):
        self._targets = chosen(config)
        self._seconds = Counter()
        self._failed = set()

    def pytest_runtest_logreport(self, report):
        key = units.unit_of(report.nodeid, self._targets).key
        self._seconds[key] += report.duration
        if report.failed:
            self._failed.add(key)

    def pytest_sessionfinish(self, exitstatus):
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            units.store_record({key: value for key, value in self._seconds.items() if key not in self._failed})
