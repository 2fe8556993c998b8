"""The programs that building and running emulated boards needs, and where Debian and Ubuntu have them.

Knows package names only; what uses them is elsewhere.
"""

import os
import shutil
import subprocess
from collections.abc import Callable

from kittiwake.errors import KittiwakeError

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
# Compiler -> (a header of its C library, the package that has it). The compilers come without one.
_LIBRARIES = {
    "gcc": ("<stdlib.h>", "libc6-dev"),
    "arm-none-eabi-gcc": ("<stdlib.h>", "libnewlib-arm-none-eabi"),
}
# picolibc is chosen by a specs file, so a header test would not see it.
_SPECS = ("riscv64-unknown-elf-gcc", "picolibc.specs", "picolibc-riscv64-unknown-elf")


def missing(programs: dict[str, str]) -> list[str]:
    """List the packages of those programs that are not on PATH."""
    return sorted({package for program, package in programs.items() if not shutil.which(program)})


def _missing_libraries() -> list[str]:
    found = []
    for compiler, (header, package) in _LIBRARIES.items():
        if shutil.which(compiler):
            test = subprocess.run(
                [compiler, "-E", "-x", "c", "-", "-o", os.devnull],
                input=f"#include {header}\n",
                text=True,
                capture_output=True,
            )
            if test.returncode != 0:
                found.append(package)
        elif compiler != "gcc":
            found.append(package)
    compiler, specs, package = _SPECS
    if shutil.which(compiler):
        place = subprocess.run([compiler, f"-print-file-name={specs}"], capture_output=True, text=True).stdout.strip()
        if not os.path.isabs(place):
            found.append(package)
    else:
        found.append(package)
    return found


def needed() -> list[str]:
    """List the Debian packages that have to be installed before anything can be built and run here."""
    return sorted({*missing({**EMULATORS, **_BUILDERS}), *_missing_libraries()})


def install(say: Callable[[str], None]) -> None:
    """Make sure that every program is there: install it when this is root, else name the one command to run.

    Args:
        say: takes a line of progress.

    Raises:
        KittiwakeError: packages are missing and cannot be installed here.
    """
    packages = needed()
    if not packages:
        return
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise KittiwakeError(f"{', '.join(packages)} missing", f"run: sudo {command}")
    say(f"installing {', '.join(packages)} ...")
    quiet = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    output = ""
    for step in ([*quiet, "update"], [*quiet, "install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(step, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            output = done.stdout  # a failed update is no failure when the install works
    left = needed()
    if left:
        reason = (output.strip().splitlines() or ["apt-get said nothing"])[-1]
        raise KittiwakeError(f"{', '.join(left)} could not be installed: {reason}", f"run: sudo {command}")
