"""What every test shares: needs from the system, CI's rule that nothing is skipped, several workers, closing lines."""

import os
from pathlib import Path

import pytest

from tests.support import boards, certificates, chaos_tally, cut_tally, network_tally, parity_tally
from tests.support.parallel import plugin as parallel
from tools import foreign, system

CI = os.environ.get("CI") == "true"
# Recordings are not part of the project.
DATA_MISSING = "KITTIWAKE_DATA is not set to the folder of recordings"
SKIPS_THAT_CI_ALLOWS = (DATA_MISSING,)


def pytest_addoption(pluginmanager):
    pluginmanager.register(boards)
    pluginmanager.register(parallel)


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*programs): skip by name where a program is missing; in CI that fails")
    config.addinivalue_line("markers", "soak: too long for every run; left out unless KITTIWAKE_SOAK=1")


def pytest_collection_modifyitems(config, items):
    long = [item for item in items if item.get_closest_marker("soak")]
    if long and os.environ.get("KITTIWAKE_SOAK") != "1":
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]


def pytest_runtest_setup(item):
    programs = [program for mark in item.iter_markers("needs") for program in mark.args]
    missing = [program for program in programs if not system.find(program)]
    if missing:
        pytest.skip(f"{', '.join(missing)} missing: {system.command_for(missing)}")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of third-party recordings (nab/, fan_esp32/, wake/)."""
    folder = os.environ.get("KITTIWAKE_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip(DATA_MISSING)
    return Path(folder)


@pytest.fixture(scope="session")
def tensorflow() -> str:
    """Path of an interpreter with TensorFlow, for programs of model/foreign."""
    python = foreign.interpreter()
    if python is None:
        pytest.skip("TensorFlow missing: python tools/foreign.py, or name an interpreter in KITTIWAKE_TENSORFLOW")
    return str(python)


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    return certificates.make(tmp_path_factory.mktemp("certificates"))


def failed_in_ci(report):
    """The report of a test or a file; a skip that CI does not allow is a failure, named like any other."""
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        why = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(allowed in why for allowed in SKIPS_THAT_CI_ALLOWS):
            report.outcome = "failed"
            report.longrepr = f"CI: nothing may be skipped (what is too long is marked soak): {why}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return failed_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return failed_in_ci((yield))


def pytest_terminal_summary(terminalreporter):
    for line in parity_tally.lines() + network_tally.lines():
        terminalreporter.write_line(line)


def pytest_unconfigure(config):
    for line in chaos_tally.lines() + cut_tally.lines():
        print(line)
