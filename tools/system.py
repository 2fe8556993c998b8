"""The one list of what tests and emulated boards need from the system; installs it where this user may.

Knows programs, libraries and their Debian packages; what needs which program is said where it is needed. Standard
library only.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable

# Debian keeps daemons where an ordinary user's PATH does not look.
SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])

# Program -> Debian/Ubuntu package.
EMULATORS = {
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
    "qemu-system-xtensa": "qemu-system-misc",
}
# What every board is built with, and what those of one instruction set are.
BUILDERS = {
    "make": "make",
    "gcc": "gcc",
    "dpkg-source": "dpkg-dev",
    "xz": "xz-utils",
}
COMPILERS = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
    "xtensa-lx106-elf-gcc": "gcc-xtensa-lx106",
}
_SERVICES = {
    "amtool": "prometheus-alertmanager",
    "chromium": "chromium",
    "curl": "curl",
    "dfu-util": "dfu-util",
    "mosquitto": "mosquitto",
    "nats-server": "nats-server",
    "pg_ctlcluster": "postgresql",  # the server itself is in a folder of its version
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "promtool": "prometheus",
    "softhsm2-util": "softhsm2",
    "systemd-analyze": "systemd",
}
BOARDS = {**EMULATORS, **BUILDERS, **COMPILERS}
TESTS = {**BOARDS, **_SERVICES}
FRESH = {"debootstrap": "debootstrap"}
PACKAGES = {**TESTS, **FRESH}

# Compiler -> (package of its C library, arguments that succeed, or print a path, only where that is installed). The
# compilers only recommend one. RISC-V's picolibc is chosen by a specs file, which a header test would not see.
_HEADER = ("-E", "-x", "c", "-", "-o", os.devnull)
_LIBRARIES = {
    "gcc": ("libc6-dev", _HEADER),
    "arm-none-eabi-gcc": ("libnewlib-arm-none-eabi", _HEADER),
    "riscv64-unknown-elf-gcc": ("picolibc-riscv64-unknown-elf", ("-print-file-name=picolibc.specs",)),
    "xtensa-lx106-elf-gcc": ("picolibc-xtensa-lx106-elf", _HEADER),
}


def find(program: str) -> str | None:
    """Look a program up on PATH and in the folders of daemons.

    Args:
        program: its file name.

    Returns:
        Its path, or None.
    """
    return shutil.which(program, path=SEARCH)


def lacking(programs: Iterable[str]) -> list[str]:
    """List every package that has to be installed for these programs, before any of them is.

    A compiler that is absent brings no library, so its library's package is in the list with it.

    Args:
        programs: keys of PACKAGES.

    Returns:
        Debian/Ubuntu packages, sorted; empty when nothing is missing.
    """
    packages = set()
    for program in programs:
        path = find(program)
        if not path:
            packages.add(PACKAGES[program])
        if program in _LIBRARIES:
            package, arguments = _LIBRARIES[program]
            if not path or not _has_library(path, arguments):
                packages.add(package)
    return sorted(packages)


def _has_library(compiler: str, arguments: tuple[str, ...]) -> bool:
    probe = subprocess.run([compiler, *arguments], input="#include <stdlib.h>\n", text=True, capture_output=True)
    return probe.returncode == 0 and (arguments is _HEADER or os.path.isabs(probe.stdout.strip()))


def command_for(programs: Iterable[str]) -> str:
    """Name the one command that installs what is missing for these programs.

    Args:
        programs: keys of PACKAGES.

    Returns:
        A shell command for Debian and Ubuntu.
    """
    return "sudo apt-get install --no-install-recommends " + " ".join(lacking(programs))


def ensure(programs: Iterable[str]) -> str:
    """Make sure that these programs and the libraries they need are there: install all that is missing in one go.

    Where the system's archive lacks one of the packages, the others are installed all the same.

    Args:
        programs: keys of PACKAGES.

    Returns:
        "" or, in one line, what is missing and, where it could not be installed, why; `command_for` is the mend.
    """
    packages = lacking(programs)
    if not packages:
        return ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"{', '.join(packages)} missing"
    print("system: installing", *packages, file=sys.stderr, flush=True)
    reasons = [_apt_get("update"), _install(packages)]  # a failed update is no failure when the install succeeds
    left = lacking(programs)
    if len(packages) > 1:
        reasons += [_install([package]) for package in left]  # of several, apt installs none when it knows not all
        left = lacking(programs)
    reason = next((reason for reason in reversed(reasons) if reason), "apt-get installed the packages without it")
    return f"{', '.join(left)} could not be installed: {reason}" if left else ""


def _install(packages: list[str]) -> str:
    return _apt_get("install", "-y", "--no-install-recommends", *packages)


def _apt_get(*arguments: str) -> str:
    """Returns "", or the last line of what apt printed when it failed."""
    command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120", *arguments]
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return "" if apt.returncode == 0 else (apt.stdout.strip().splitlines() or ["apt-get printed no reason"])[-1]


def main() -> int:
    """Make sure that the named programs are there.

    Returns:
        0 when they are, or when they are not and this is not CI (the tests then skip by name); else 1.
    """
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--list", action="store_true", help="print the packages that are missing, install nothing")
    parser.add_argument("programs", nargs="*", choices=[*sorted(PACKAGES), []], help="default: what tests need")
    arguments = parser.parse_args()
    programs = arguments.programs or list(TESTS)
    if arguments.list:
        print(*lacking(programs), sep="\n")
        return 0
    problem = ensure(programs)
    if not problem:
        return 0
    print(f"system: {problem}: {command_for(programs)}", file=sys.stderr)
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
