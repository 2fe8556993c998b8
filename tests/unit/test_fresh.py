"""The machine of `make test-fresh`: what it takes along, and that nothing of it is left behind."""

import configparser
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import until
from tools.fresh import settings
from tools.fresh.machine import Machine, MachineError, suite_and_mirror

ROOT = Path(__file__).resolve().parents[2]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


def test_settings_variables_of_pip_and_certificates_are_chosen_and_no_others():
    environment = {
        "PIP_FIND_LINKS": "/wheels",
        "PIP_CONFIG_FILE": "/pip.conf",
        "SSL_CERT_FILE": "/ca.pem",
        "REQUESTS_CA_BUNDLE": "/ca.pem",
        "https_proxy": "http://proxy.example:3128",
        "NODE_EXTRA_CA_CERTS": "/ca.pem",
        "npm_config_registry": "https://registry.example/",
        "npm_config_cache": "/cache",
        "HTTP_PROXY": "",
        "MY_PIP_INDEX": "no",
        "HOME": "/root",
        "API_TOKEN": "secret",
    }
    chosen = {"PIP_FIND_LINKS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "https_proxy", "NODE_EXTRA_CA_CERTS"}
    chosen.add("npm_config_registry")
    assert settings.variables(environment) == {name: environment[name] for name in chosen}


PIP_LIST = """\
:env:.find-links='/elsewhere'
global.cert='/etc/ca.pem'
global.find-links='/a/wheels\\n/b/wheels'
install.constraint='/etc/100%.txt'
"""


def test_settings_pip_configuration_holds_what_pip_lists_but_not_its_environment():
    parser = configparser.RawConfigParser()
    parser.read_string(settings.pip_configuration(settings.parse_pip_options(PIP_LIST)))
    assert {section: dict(parser[section]) for section in parser.sections()} == {
        "global": {"cert": "/etc/ca.pem", "find-links": "/a/wheels\n/b/wheels"},
        "install": {"constraint": "/etc/100%.txt"},
    }


def test_settings_of_npm_are_its_registry_and_certificates_of_the_file_that_counts(tmp_path):
    (tmp_path / "all").write_text("registry = https://one.example/\ncafile=/ca.pem\nfund=false\n")
    (tmp_path / "mine").write_text('; mine\nregistry="https://two.example/"\n//two.example/:_authToken=secret\n')
    files = [tmp_path / "all", tmp_path / "mine", tmp_path / "none"]
    wanted = {"npm_config_registry": "https://two.example/", "npm_config_cafile": "/ca.pem"}
    assert settings.npm_options(files) == wanted


@pytest.fixture
def index(tmp_path):
    """An index on disk: pages in one folder, wheels in another."""
    (tmp_path / "pypi/simple/a").mkdir(parents=True)
    (tmp_path / "pypi/simple/index.html").write_text('<a href="a/">a</a>')
    page = (
        '<a href="../../files/a-1.whl#sha256=0">a-1.whl</a> <A data-x="" HREF="https://no.example/a-2.whl">a-2.whl</A>'
    )
    (tmp_path / "pypi/simple/a/index.html").write_text(page)
    (tmp_path / "pypi/files").mkdir()
    (tmp_path / "pypi/files/a-1.whl").touch()
    (tmp_path / "ca.pem").write_text("certificate")
    return tmp_path


def test_settings_paths_are_found_in_addresses_lists_and_pages(index):
    words = [f"file://{index}/pypi/simple https://no.example/simple", f"{index}/ca.pem:/not/there", "relative", "/"]
    assert settings.local_paths(words) == [index / "ca.pem", index / "pypi/files", index / "pypi/simple"]


def test_settings_of_a_folder_and_what_lies_in_it_the_folder_alone(index):
    assert settings.local_paths([f"{index}/ca.pem {index}"]) == [index]


def test_settings_carry_copies_files_and_names_folders_to_mount(index, tmp_path, monkeypatch):
    (tmp_path / "etc/apt").mkdir(parents=True)
    (tmp_path / "etc/apt/sources.list").write_text("deb http://mirror.example/debian bookworm main\n")
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/mine.pem").symlink_to("../ca.pem")
    machine = tmp_path / "machine"
    (machine / "etc").mkdir(parents=True)
    there = machine / str(tmp_path).lstrip("/")
    (there / "etc/apt").mkdir(parents=True)
    (there / "etc/apt/sources.list.d").mkdir()
    (there / "certs").mkdir()
    (there / "certs/mine.pem").write_text("the machine's own")
    monkeypatch.setattr(settings, "_APT", tmp_path / "etc/apt")
    monkeypatch.setattr(settings, "_OTHERS", ())
    monkeypatch.setattr(settings, "pip_options", lambda: {"global.find-links": f"{index}/pypi/simple"})
    monkeypatch.setattr(os, "environ", {"SSL_CERT_DIR": f"{tmp_path}/certs", "PIP_CERT": f"{tmp_path}/ca.pem"})
    (tmp_path / "npmrc").write_text("registry=https://registry.example/\n")
    monkeypatch.setattr(settings, "_NPM_FILES", [tmp_path / "npmrc"])
    environment, mounts = settings.carry(machine)
    assert environment == os.environ | {"npm_config_registry": "https://registry.example/"}
    assert mounts == [index / "pypi/files", index / "pypi/simple"]
    assert (there / "ca.pem").read_text() == "certificate" and os.readlink(there / "certs/mine.pem") == "../ca.pem"
    assert [path.name for path in (there / "etc/apt").iterdir()] == ["sources.list"]
    assert f"find-links = {index}/pypi/simple" in (machine / "etc/pip.conf").read_text()


def test_settings_of_another_suite_are_this_systems_mirror_alone(tmp_path, monkeypatch):
    apt, machine = tmp_path / "apt", tmp_path / "machine"
    (apt / "sources.list.d").mkdir(parents=True)
    (apt / "sources.list.d/debian.sources").write_text("Types: deb\n")
    (machine / "etc").mkdir(parents=True)
    monkeypatch.setattr(settings, "_APT", apt)
    monkeypatch.setattr(settings, "_OTHERS", ())
    monkeypatch.setattr(settings, "pip_options", dict)
    monkeypatch.setattr(settings, "suite_and_mirror", lambda: ("bookworm", "http://mirror.example/debian"))
    settings.carry(machine, "trixie")
    there = machine / str(apt).lstrip("/")
    assert [path.name for path in there.iterdir()] == ["sources.list"]
    assert (there / "sources.list").read_text() == "deb http://mirror.example/debian trixie main\n"


def test_machine_suite_and_mirror_are_this_systems(tmp_path):
    (tmp_path / "sources.list").write_text("deb http://mirror.example/debian bookworm main\n")
    (tmp_path / "os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    assert suite_and_mirror(tmp_path, tmp_path / "os-release") == ("bookworm", "http://mirror.example/debian")
    (tmp_path / "os-release").write_text("ID=arch\n")
    with pytest.raises(MachineError, match="no Debian mirror"):
        suite_and_mirror(tmp_path, tmp_path / "os-release")


# A machine whose programs are this one's, so that nothing has to be installed.
RUNNER = """
import sys
from pathlib import Path
from tools.fresh.machine import Machine
sys.exit(Machine(Path(sys.argv[1]), {"FROM": "outside"}, [Path("/usr"), Path("/etc")]).run(["sh", "-c", sys.argv[2]]))
"""


@pytest.fixture
def root(tmp_path):
    """The root folder of a machine."""
    for folder in ("proc", "dev/shm", "dev/pts"):
        (tmp_path / folder).mkdir(parents=True)
    for device in ("null", "zero", "full", "random", "urandom", "tty"):
        (tmp_path / "dev" / device).touch()
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).exists():
            (tmp_path / name).symlink_to(f"usr/{name}")
    return tmp_path


def _run(root, script):
    command = [sys.executable, "-c", RUNNER, str(root), script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=dict(os.environ, SECRET="here"))


@needs_root
def test_machine_command_runs_apart_and_its_status_comes_back(root):
    mounts = Path("/proc/mounts").read_text()
    done = _run(
        root, 'echo "$FROM:$SECRET:$HOME"; echo $(ls /); test -c /dev/null; cat /proc/1/comm; touch /usr/x; exit 7'
    )
    assert done.returncode == 7, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "outside::/root"
    assert set(lines[1].split()) == {path.name for path in root.iterdir()}
    assert lines[2] == "sh"
    assert "Read-only file system" in done.stdout
    assert Path("/proc/mounts").read_text() == mounts
    assert not list((root / "proc").iterdir()) and not list((root / "usr").iterdir())


@needs_root
def test_machine_command_of_a_killed_runner_dies_with_it_and_unmounts(root):
    seconds = f"600.{os.getpid()}"  # nobody else's
    command = [sys.executable, "-c", RUNNER, str(root), f"exec sleep {seconds}"]
    runner = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _wait_for_sleepers(seconds, 1)
    finally:
        runner.send_signal(signal.SIGKILL)
        runner.wait()
    _wait_for_sleepers(seconds, 0)
    assert str(root) not in Path("/proc/mounts").read_text()
    Machine(root).remove()
    assert not root.exists() and Path("/usr/bin").exists()


def _wait_for_sleepers(seconds, number):
    until(lambda: _sleepers(seconds) == number, lambda: f"{number} sleepers, but {_sleepers(seconds)}", 30)


def _sleepers(seconds):
    count = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            count += path.read_text().split("\0")[:2] == ["sleep", seconds]
        except OSError:
            continue
    return count
