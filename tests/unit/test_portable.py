"""Systems without termios, fcntl, pty and tty: what needs no pseudo-terminal works, the rest says so in one line.

Simulated by blocking these modules; what Python's own asyncio and the serial library import of them is loaded before.
Not tried on Windows.
"""

import ast
import subprocess
import sys

import pytest

from kittiwake.errors import EXIT_NO_DEVICE, EXIT_OK, EXIT_USAGE
from tests.support.repository import ROOT

BLOCKED = ("termios", "fcntl", "pty", "tty")
_RUN = f"""
import asyncio, sys
import serialx
serialx.list_serial_ports()
try:
    serialx.serial_for_url("/dev/null", baudrate=115200).open()
except Exception:
    pass
for name in {BLOCKED!r}:
    sys.modules[name] = None
from kittiwake.cli import app
sys.exit(app.run(sys.argv[1:]))
"""


def run(*arguments):
    command = [sys.executable, "-c", _RUN, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "internal error" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("boards",),
        ("targets",),
        ("ports",),
        ("explain", "examples/vibration/node.toml"),
        ("node", "init", "esp32-devkitc"),
        ("node", "check", "examples/vibration/node.toml"),
        ("detect", "examples/temperature/readings.csv", "-c", "celsius", "--range", "-10", "30", "--detector", "drift"),
        ("bridge", "check", "-c", "examples/vibration/gateway.toml"),
        ("verify", "--suite", "frames", "--count", "3"),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_command_that_needs_no_pseudo_terminal_works_without_them(arguments):
    done = run(*arguments)
    assert done.returncode == EXIT_OK, done.stderr
    assert done.stdout or arguments == ("ports",)


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--seconds", "1"),
        ("node", "up"),
        ("node", "up", "--target", "qemu:virt"),
        ("bench", "--target", "qemu:virt"),
        ("deploy", "--target", "unix", "-c", "examples/vibration/node.toml"),
        ("run", "--target", "qemu:virt", "README.md"),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_command_that_cannot_work_without_them_says_so_in_one_line(arguments):
    done = run(*arguments)
    assert done.returncode == EXIT_USAGE, done.stderr
    assert "needs pseudo-terminals, which this system has not" in done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("verb", [("deploy", "-c", "examples/vibration/node.toml"), ("doctor",)])
def test_command_on_a_port_opens_it_without_them(verb):
    done = run(*verb, "--port", "/dev/ttyUSB99")
    assert done.returncode == EXIT_NO_DEVICE
    assert "/dev/ttyUSB99 is not there" in done.stderr


def test_no_module_of_the_host_imports_what_only_posix_has_at_its_start():
    seen = 0
    for path in (ROOT / "host" / "kittiwake").rglob("*.py"):
        if "board_code" in path.parts and path.name != "__init__.py":
            continue
        seen += 1
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not {"termios", "fcntl", "pty", "tty", "grp", "pwd", "resource"} & set(names), path
    assert seen > 100


def test_completion_completes_verbs():
    environment = {"_KITTIWAKE_COMPLETE": "complete_bash", "COMP_WORDS": "kittiwake de", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", "import sys; from kittiwake.cli import app; sys.exit(app.run([]))"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**environment, "PATH": "/usr/bin:/bin"}, timeout=60
    )
    assert {"demo", "detect", "deploy"} <= set(done.stdout.split()), done.stderr
    assert "--install-completion" in run("--help").stdout
