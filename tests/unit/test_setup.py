"""`make setup` and the system check: what is missing is named with its mend, and the second run does nothing."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import setup_venv, system

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder that setup takes for the project."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """Commands that setup would run; all succeed."""
    made = []

    def call(command, **_):
        made.append(command)
        if "venv" in command:
            (Path(command[-1]) / "bin").mkdir(parents=True)
            (Path(command[-1]) / "bin/python").touch()
        return 0 if Path(command[0]).exists() else 1

    monkeypatch.setattr(setup_venv.subprocess, "call", call)
    return made


def test_setup_is_understood_by_any_python_3():
    ast.parse((ROOT / "tools/setup_venv.py").read_text(), feature_version=(3, 4))


def test_setup_with_an_old_python_names_the_mend(monkeypatch, capsys):
    monkeypatch.setattr(setup_venv.sys, "version_info", (3, 10, 4, "final", 0))
    assert setup_venv.main([".venv", "demo"]) == 1
    err = capsys.readouterr().err
    assert "Python 3.10 is too old" in err
    assert "PYTHON=" in err
    assert len(err.splitlines()) == 1


def test_setup_without_ensurepip_names_the_package(project, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert setup_venv.main([".venv", "demo"]) == 1
    assert f"apt-get install python3.{sys.version_info[1]}-venv" in capsys.readouterr().err


def test_setup_makes_once_and_then_does_nothing(project, calls):
    assert setup_venv.main([".venv", "demo,journal"]) == 0
    assert [command[1:3] for command in calls] == [["-c", "import pip"], ["-m", "venv"], ["-m", "pip"]]
    assert calls[-1][-1] == ".[demo,journal]"
    calls.clear()
    assert setup_venv.main([".venv", "demo,journal"]) == 0
    assert calls == []


def test_setup_installs_again_when_pyproject_changed(project, calls):
    setup_venv.main([".venv", "demo"])
    calls.clear()
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert setup_venv.main([".venv", "demo"]) == 0
    assert calls[-1][1:3] == ["-m", "pip"]


def test_setup_whose_pip_fails_says_so_and_tries_again_next_time(project, calls, monkeypatch, capsys):
    succeed = setup_venv.subprocess.call
    monkeypatch.setattr(setup_venv.subprocess, "call", lambda c, **k: succeed(c, **k) or int("install" in c))
    assert setup_venv.main([".venv", "demo"]) == 1
    assert "pip could not install" in capsys.readouterr().err
    monkeypatch.setattr(setup_venv.subprocess, "call", succeed)
    assert setup_venv.main([".venv", "demo"]) == 0


def test_setup_replaces_an_environment_whose_python_is_gone(project):
    """On the real thing, without pip: a venv moved from elsewhere or left by an upgrade."""
    (project / "pyproject.toml").write_text("not TOML, so that pip gives up at once")
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/pyvenv.cfg").write_text("home = /nowhere\n")
    (project / ".venv/stale").touch()
    (project / ".venv/bin/python").symlink_to("/nowhere/python")
    assert setup_venv.main([".venv", "demo"]) == 1
    assert not (project / ".venv/stale").exists()
    assert subprocess.run([project / ".venv/bin/python", "-c", "import pip"]).returncode == 0


def test_make_without_python_names_the_package():
    done = subprocess.run(["make", "setup", "PYTHON=no-such-python"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "no-such-python is not there; apt-get install python3" in done.stderr


def test_make_help_lists_the_targets():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True)
    assert {"setup", "demo", "test", "check", "boards", "hil"} <= {line.split()[0] for line in done.stdout.splitlines()}


def test_system_finds_daemons_off_an_ordinary_users_path(tmp_path, monkeypatch):
    (tmp_path / "mosquitto").write_text("#!/bin/sh\n")
    (tmp_path / "mosquitto").chmod(0o755)
    monkeypatch.setattr(system, "SEARCH", f"/nowhere:{tmp_path}")
    assert system.find("mosquitto") == str(tmp_path / "mosquitto")
    assert "/usr/sbin" in (ROOT / "tools/system.py").read_text()


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_system_without_root_names_the_one_command(monkeypatch, capsys, ci, status):
    monkeypatch.setattr(system, "SEARCH", "/nowhere")
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", ["system.py", "mosquitto"])
    monkeypatch.setenv("CI", ci)
    assert system.main() == status
    assert "mosquitto missing: sudo apt-get install --no-install-recommends mosquitto" in capsys.readouterr().err


NEEDY = """
import pytest

@pytest.mark.needs("no-such-program")
def test_needy():
    pass

def test_other():
    pass

def test_skipping():
    pytest.skip("for no good reason")

def test_data(data_dir):
    pass
"""


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", "1 passed, 3 skipped"), ("true", "1 failed, 1 passed, 1 skipped, 1 error")]
)
def test_conftest_skips_by_name_and_never_in_ci(tmp_path, ci, outcome):
    tree = tmp_path / "tests"
    tree.mkdir()
    shutil.copy(ROOT / "tests/conftest.py", tree)
    (tree / "test_needy.py").write_text(NEEDY)
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    (tree / "support").symlink_to(ROOT / "tests/support")
    packages = "import tools.system; tools.system.PACKAGES['no-such-program'] = 'some-package'"
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (tmp_path / "conftest.py").write_text(packages)
    environment = {"PATH": "/usr/bin:/bin", "CI": ci}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert outcome in done.stdout, done.stdout
    assert "no-such-program missing: sudo apt-get install --no-install-recommends some-package" in done.stdout
    assert done.returncode == (1 if ci else 0)


@pytest.mark.parametrize(
    ("skipping", "summary", "status"),
    [
        ("def test_s(): pytest.skip('because')", "1 failed, 1 passed", 1),
        ("@pytest.mark.skipif(1 > 0, reason='because')\ndef test_s(): pass", "1 passed, 1 error", 1),
        ("pytest.importorskip('no_such_module', reason='because')", "1 error", 2),
        ("@pytest.mark.xfail(reason='because')\ndef test_s(): assert 0", "1 passed, 1 xfailed", 0),
    ],
)
def test_conftest_in_ci_fails_what_would_be_skipped(tmp_path, skipping, summary, status):
    tree = tmp_path / "tests"
    tree.mkdir()
    shutil.copy(ROOT / "tests/conftest.py", tree)
    (tree / "test_s.py").write_text(f"import pytest\n\ndef test_a(): pass\n\n{skipping}\n")
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    (tree / "support").symlink_to(ROOT / "tests/support")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "CI": "true"},
        cwd=tmp_path,
    )
    assert done.returncode == status, done.stdout
    assert summary in done.stdout
    assert not status or "CI: nothing may be skipped (what is too long is marked soak)" in done.stdout
    assert not status or "because" in done.stdout
