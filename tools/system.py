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
}
_BUILDERS = {
    "make": "make",
    "gcc": "gcc",
    "dpkg-source": "dpkg-dev",
    "xz": "xz-utils",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
}
_SERVICES = {
    "dfu-util": "dfu-util",
    "mosquitto": "mosquitto",
    "systemd-analyze": "systemd",
}
BOARDS = {**EMULATORS, **_BUILDERS}
TESTS = {**BOARDS, **_SERVICES}
FRESH = {"debootstrap": "debootstrap"}
PACKAGES = {**TESTS, **FRESH}

# Compiler -> (package of its C library, arguments that succeed, or print a path, only where that is installed). The
# compilers only recommend one. picolibc is chosen by a specs file, which a header test would not see.
_HEADER = ("-E", "-x", "c", "-", "-o", os.devnull)
_LIBRARIES = {
    "gcc": ("libc6-dev", _HEADER),
    "arm-none-eabi-gcc": ("libnewlib-arm-none-eabi", _HEADER),
    "riscv64-unknown-elf-gcc": ("picolibc-riscv64-unknown-elf", ("-print-file-name=picolibc.specs",)),
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
    reason = _install(packages)
    left = lacking(programs)
    return f"{', '.join(left)} could not be installed: {reason}" if left else ""


def _install(packages: list[str]) -> str:
    """Returns the last line of what apt printed in the step that failed last."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    reason = "apt-get installed the packages without it"
    for step in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(step, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:  # a failed update is no failure when the install succeeds
            reason = (done.stdout.strip().splitlines() or ["apt-get printed no reason"])[-1]
    return reason


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
