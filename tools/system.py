"""Find the programs that tests need from the system, and install them where this user may.

Knows package names only; what needs which program is said where it is needed.
"""

import argparse
import os
import shutil
import subprocess
import sys

# Debian keeps daemons where an ordinary user's PATH does not look.
SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])

# Program -> Debian/Ubuntu package.
PACKAGES = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "dfu-util": "dfu-util",
    "mosquitto": "mosquitto",
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
    "systemd-analyze": "systemd",
}


def find(program: str) -> str | None:
    """Look a program up on PATH and in the folders of daemons.

    Args:
        program: its file name.

    Returns:
        Its path, or None.
    """
    return shutil.which(program, path=SEARCH)


def command_for(programs: list[str]) -> str:
    """Name the one command that installs what these programs come in.

    Args:
        programs: keys of PACKAGES.

    Returns:
        A shell command for Debian and Ubuntu.
    """
    packages = sorted({PACKAGES[program] for program in programs})
    return "sudo apt-get install --no-install-recommends " + " ".join(packages)


def install(programs: list[str]) -> bool:
    """Install the packages of these programs with apt, quietly.

    Args:
        programs: keys of PACKAGES.

    Returns:
        Whether all of them can be found afterwards.
    """
    packages = sorted({PACKAGES[program] for program in programs})
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    for step in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(step, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.stderr.write(done.stdout)
    return all(find(program) for program in programs)


def main() -> int:
    """Make sure that the named programs are there.

    Returns:
        0 when they are, or when they are not and this is neither root nor CI (the tests then skip by name); else 1.
    """
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("programs", nargs="*", choices=[*sorted(PACKAGES), []], help="default: all")
    missing = [program for program in parser.parse_args().programs or PACKAGES if not find(program)]
    if not missing:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("system: installing", *missing, file=sys.stderr)
        if install(missing):
            return 0
    print(f"system: {', '.join(missing)} missing: {command_for(missing)}", file=sys.stderr)
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
