"""What the system needs: the whole list is known before anything is installed, whatever happens to be there."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import system

ROOT = Path(__file__).resolve().parents[2]
# Written out, not taken from the tables: README and a fresh Debian hold to these.
ALL = [
    *(
        "chromium",
        "curl",
        "dfu-util",
        "dpkg-dev",
        "gcc",
        "gcc-arm-none-eabi",
        "gcc-riscv64-unknown-elf",
        "gcc-xtensa-lx106",
    ),
    *("libc6-dev", "libnewlib-arm-none-eabi", "make", "mosquitto", "nats-server", "picolibc-riscv64-unknown-elf"),
    *(
        "picolibc-xtensa-lx106-elf",
        "postgresql",
        "prometheus",
        "prometheus-alertmanager",
        "prometheus-node-exporter",
        "qemu-system-arm",
        "qemu-system-misc",
        "softhsm2",
        "systemd",
        "xz-utils",
    ),
]
SERVICES = (
    "chromium",
    "curl",
    "dfu-util",
    "mosquitto",
    "nats-server",
    "postgresql",
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-node-exporter",
    "softhsm2",
    "systemd",
)
LIBRARY_OF = {
    "gcc": "libc6-dev",
    "gcc-arm-none-eabi": "libnewlib-arm-none-eabi",
    "gcc-riscv64-unknown-elf": "picolibc-riscv64-unknown-elf",
    "gcc-xtensa-lx106": "picolibc-xtensa-lx106-elf",
}

# A compiler that answers as gcc does: with an error, or a bare file name, unless its library is installed.
COMPILER = """#!/bin/sh
case $1 in
-print-file-name=*) if {installed}; then echo /lib/picolibc.specs; else echo picolibc.specs; fi ;;
*) {installed} ;;
esac
"""


class Machine:
    """A machine whose packages bring what is theirs, and nothing that they recommend."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.programs = folder / "bin"
        self.programs.mkdir()
        (folder / "packages").touch()
        for program, package in system.PACKAGES.items():
            installed = f"/usr/bin/grep -qx {LIBRARY_OF.get(package, package)} {folder}/packages"
            self._write(folder / program, COMPILER.format(installed=installed))
        lines = ["#!/bin/sh", "PATH=/usr/bin:/bin", f'echo "$@" >> {folder}/apt.log', "for word; do case $word in"]
        for package in ALL:
            programs = [program for program, provider in system.PACKAGES.items() if provider == package]
            copies = "".join(f"cp {folder}/{program} {self.programs}/; " for program in programs)
            lines.append(f"{package}) echo {package} >> {folder}/packages; {copies};;")
        self._write(self.programs / "apt-get", "\n".join([*lines, "esac; done"]))

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def install(self, package: str) -> None:
        subprocess.run([str(self.programs / "apt-get"), package], check=True)

    def installations(self) -> list[list[str]]:
        """The packages that each `apt-get install` named."""
        lines = (self.folder / "apt.log").read_text().splitlines()
        return [[word for word in line.split() if word in ALL] for line in lines if " install " in line]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing on it, whose user is root."""
    made = Machine(tmp_path)
    monkeypatch.setattr(system, "SEARCH", str(made.programs))
    monkeypatch.setenv("PATH", str(made.programs))
    monkeypatch.setattr(system.os, "geteuid", lambda: 0)
    return made


def test_system_with_nothing_there_lists_every_package(monkeypatch):
    monkeypatch.setattr(system, "SEARCH", "")
    assert system.lacking(system.TESTS) == ALL


def test_system_list_with_an_empty_path_has_the_compilers_with_their_libraries():
    """Regression: libc6-dev was left out where gcc was absent, so a new machine failed its first `make test`."""
    done = subprocess.run(
        [sys.executable, "tools/system.py", "--list"], cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    at_sbin = {"mosquitto", "nats-server", "dfu-util"}  # daemons are looked for where they are, whatever the PATH
    assert {*done.stdout.split(), *at_sbin} == set(ALL)


def test_system_fresh_machine_is_complete_after_one_install(machine):
    assert system.ensure(system.TESTS) == ""
    assert machine.installations() == [ALL]
    assert system.lacking(system.TESTS) == []


@pytest.mark.parametrize("there", [*itertools.combinations(LIBRARY_OF, 1), *itertools.combinations(LIBRARY_OF, 2)])
def test_system_what_is_there_changes_only_what_it_is(machine, there):
    """A compiler that is there without its library takes itself from the list, and nothing else."""
    for package in there:
        machine.install(package)
    assert system.lacking(system.TESTS) == [package for package in ALL if package not in there]
    assert system.ensure(system.TESTS) == ""
    assert system.lacking(system.TESTS) == []


def test_system_boards_need_no_services(machine):
    assert system.lacking(system.BOARDS) == [p for p in ALL if p not in SERVICES]


def test_system_install_that_fails_names_what_is_left_and_the_last_words_of_apt(machine, capsys):
    (machine.programs / "apt-get").write_text("#!/bin/sh\necho 'E: no such mirror'\nexit 100\n")
    assert system.ensure(["gcc"]) == "gcc, libc6-dev could not be installed: E: no such mirror"
    assert capsys.readouterr().err == "system: installing gcc libc6-dev\n"


def test_system_package_that_the_archive_lacks_does_not_keep_the_others_out(machine):
    apt = machine.programs / "apt-get"
    refusal = 'case "$*" in *gcc-xtensa-lx106*) echo "E: Unable to locate package gcc-xtensa-lx106"; exit 100;; esac\n'
    apt.write_text(apt.read_text().replace("PATH=/usr/bin:/bin\n", f"PATH=/usr/bin:/bin\n{refusal}"))
    said = system.ensure(system.TESTS)
    left = ["gcc-xtensa-lx106", "picolibc-xtensa-lx106-elf"]  # a library is told by its compiler
    assert said == f"{', '.join(left)} could not be installed: E: Unable to locate package gcc-xtensa-lx106"
    assert system.lacking(system.TESTS) == left


def test_system_package_without_its_program_is_a_failure(machine):
    (machine.programs / "apt-get").write_text("#!/bin/sh\n")
    assert system.ensure(["gcc"]).startswith("gcc, libc6-dev could not be installed: apt-get installed")


def test_system_real_compilers_answer_the_questions():
    """The fakes above answer as these do: with the library there, each real compiler says so."""
    compilers = [name for name in system.PACKAGES if name.endswith("gcc") and system.find(name)]
    if not compilers:
        pytest.skip(system.command_for(["gcc"]))
    installed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"], capture_output=True, text=True
    )
    present = {line.split()[0] for line in installed.stdout.splitlines() if line.endswith(" installed")}
    assert os.pathsep in system.SEARCH
    for name in compilers:
        library = LIBRARY_OF[system.PACKAGES[name]]
        assert (library not in system.lacking([name])) == (library in present)
