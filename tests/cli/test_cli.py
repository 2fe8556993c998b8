"""The command's own conduct: one line for an error, exit codes, JSON, never a traceback."""

import json
import subprocess
import sys

import pytest

import kittiwake
from kittiwake.cli import app
from kittiwake.errors import (
    ConfigError,
    KittiwakeError,
    NoDeviceError,
    PortBusyError,
    TargetError,
    UsageError,
    VerificationError,
)


def _run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "kittiwake", *arguments], capture_output=True, text=True, timeout=60)


def test_cli_version_is_the_packages():
    assert _run("--version").stdout == f"kittiwake {kittiwake.__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["targets", "--nonsense"], ["targets", "surplus"]])
def test_cli_usage_error_exits_2_with_one_line(arguments):
    done = _run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "--help" in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KittiwakeError("broke", "mend it"), 1),
        (TargetError("broke", "mend it"), 1),
        (UsageError("broke", "mend it"), 2),
        (ConfigError("broke", "mend it"), 2),
        (NoDeviceError("broke", "mend it"), 3),
        (PortBusyError("broke", "mend it"), 4),
        (VerificationError("broke", "mend it"), 5),
    ],
)
def test_cli_kittiwake_error_prints_one_line_with_the_mend(monkeypatch, capsys, error, code):
    _replace_targets(monkeypatch, error)
    assert app.run(["targets"]) == code
    assert capsys.readouterr() == ("", "kittiwake: broke; mend it\n")


def test_cli_bug_prints_one_line_and_how_to_see_more(monkeypatch, capsys):
    _replace_targets(monkeypatch, ZeroDivisionError("one\ntwo"))
    assert app.run(["targets"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("kittiwake: internal error: ZeroDivisionError: one; ")
    assert len(err.splitlines()) == 1


def test_cli_interrupt_exits_130(monkeypatch, capsys):
    _replace_targets(monkeypatch, KeyboardInterrupt())
    assert app.run(["targets"]) == 130
    assert capsys.readouterr().err == "kittiwake: interrupted\n"


def test_cli_targets_json_says_of_each_whether_and_why_not():
    done = _run("targets", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["target"]: row for row in json.loads(done.stdout)["targets"]}
    assert "unix" in rows
    for row in rows.values():
        assert row["available"] or (row["reason"] and row["mend"])


def test_cli_ports_json_is_a_list():
    done = _run("ports", "--json")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout)["ports"], list)


def test_cli_reader_that_leaves_ends_quietly():
    command = f"{sys.executable} -m kittiwake --help | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def _replace_targets(monkeypatch, error):
    def names():
        raise error

    monkeypatch.setattr("kittiwake.target.names", names)
