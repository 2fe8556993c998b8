"""What the flashing tests share: the command run on a wire, its lines kept."""

import pytest

from kittiwake.cli import app


class Told:
    """One run of the command: its exit code, what it printed, and its last line of error."""

    def __init__(self, code, captured):
        self.code, self.out, self.err = code, captured.out, captured.err
        self.error = self.err.strip().splitlines()[-1] if code else ""


@pytest.fixture
def flash(monkeypatch, capsys):
    """Run `kittiwake flash` on a wire; environment for the tool's modem lines included."""

    def run(wire, *arguments):
        for name, value in wire.environment.items():
            monkeypatch.setenv(name, value)
        code = app.run(["flash", arguments[0], "--port", wire.port, *map(str, arguments[1:])])
        return Told(code, capsys.readouterr())

    return run


@pytest.fixture
def run_tool(monkeypatch):
    """Run an unmodified tool on a wire; give its exit code and lines."""
    from kittiwake.flash import tool

    def run(wire, name, *arguments):
        for key, value in wire.environment.items():
            monkeypatch.setenv(key, value)
        return tool.run([tool.find(name), *map(str, arguments)])

    return run


@pytest.fixture
def impatient(monkeypatch, tmp_path):
    """esptool's own settings, so that tests of faults wait less for what never comes. Source: its documentation."""
    settings = tmp_path / "esptool.cfg"
    settings.write_text("[esptool]\ntimeout = 2\nconnect_attempts = 2\nwrite_block_attempts = 1\n")
    monkeypatch.setenv("ESPTOOL_CFGFILE", str(settings))
