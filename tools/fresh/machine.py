"""A machine with nothing on it: a minimal Debian in a folder, in which commands run as in a first session.

Knows debootstrap, namespaces and mounts; not what is run. Everything is mounted in a namespace of the command's own: it
is gone with the command, however that ends, and this machine never sees anything mounted in the folder.
"""

import os
import pwd
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.micropython import aptsources

PACKAGES = ("python3", "python3-venv", "make", "git", "ca-certificates")
USER = "newcomer"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
# The processes die with this program, and their mounts with them.
_APART = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"]
_APART += ["--pid", "--fork", "--kill-child", "--"]


class MachineError(Exception):
    """The machine cannot be made here; the text says why."""


def suite_and_mirror(apt: Path = Path("/etc/apt"), os_release: Path = Path("/etc/os-release")) -> tuple[str, str]:
    """Read from this system which Debian it is, and from where.

    Args:
        apt: folder of apt's configuration.
        os_release: file that describes the system.

    Returns:
        The suite's name and the mirror's address.

    Raises:
        MachineError: this is not Debian.
    """
    stanzas = aptsources.debian_stanzas(apt, os_release)
    if not stanzas:
        raise MachineError("this system's apt has no Debian mirror; run it on Debian")
    return stanzas[0]["Suites"].split()[0], stanzas[0]["URIs"].split()[0]


class Machine:
    """A Debian in a folder.

    Args:
        root: its root folder.
        environment: what every command has set besides HOME, PATH and LANG.
        mounts: folders of this machine, mounted at the same place, read-only.
    """

    def __init__(self, root: Path, environment: Mapping[str, str] | None = None, mounts: Sequence[Path] = ()):
        self.root = root
        self.environment = dict(environment or {})
        self.mounts = list(mounts)

    def bootstrap(self, suite: str = "") -> None:
        """Install a minimal Debian with PACKAGES into the folder, and add the ordinary user.

        Args:
            suite: which Debian, e.g. "trixie"; empty for this system's.

        Raises:
            MachineError: debootstrap failed; its last line is in the text.
        """
        own_suite, mirror = suite_and_mirror()
        options = ["--variant=minbase", f"--include={','.join(PACKAGES)}"]
        command = ["debootstrap", *options, suite or own_suite, str(self.root), mirror]
        finished = subprocess.run(
            [*_APART, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if finished.returncode != 0:
            raise MachineError(f"debootstrap: {(finished.stdout.strip().splitlines() or ['no reason given'])[-1]}")
        if self.run(["useradd", "--create-home", "--shell", "/bin/sh", USER]) != 0:
            raise MachineError(f"the user {USER} could not be added")

    def copy(self, root: Path) -> "Machine":
        """Copy the machine as it is.

        Args:
            root: the folder of the copy; must not exist.

        Returns:
            The copy.
        """
        subprocess.run(["cp", "--archive", "--reflink=auto", str(self.root), str(root)], check=True)
        return Machine(root, self.environment, self.mounts)

    def run(self, command: Sequence[str], user: str = "root", folder: str = "/", log: Path | None = None) -> int:
        """Run a command in the machine, with its own processes, /proc, /dev/pts and no terminal.

        Args:
            command: program and arguments.
            user: as whom.
            folder: where, seen from within.
            log: receives a copy of what it prints.

        Returns:
            The command's exit status.
        """
        home = "/root" if user == "root" else f"/home/{user}"
        inner = ["env", "-i", f"HOME={home}", f"USER={user}", f"PATH={_PATH}", "LANG=C.UTF-8"]
        inner += [f"{name}={value}" for name, value in self.environment.items()]
        inner += ["sh", "-c", f'cd {shlex.quote(folder)} && exec "$@"', "sh", *command]
        chroot = ["chroot", f"--userspec={user}:", str(self.root), *inner]
        # The shell stays, as the namespace's first process, and reaps the orphans as an init does.
        script = "\n".join([*self._mount_commands(), shlex.join(chroot), "exit 0"])
        process = subprocess.Popen(
            [*_APART, "sh", "-e", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            with open(log or os.devnull, "wb") as file:
                for line in process.stdout or ():
                    file.write(line)
                    sys.stdout.buffer.write(line)
                    sys.stdout.buffer.flush()
            return process.wait()
        finally:
            process.kill()
            process.wait()

    def _mount_commands(self) -> list[str]:
        root = shlex.quote(str(self.root))
        commands = [
            # As on a real machine, its root is a mount of its own: without, no namespace of mounts can be made in it.
            f"mount --bind {root} {root}",
            f"mount -t proc proc {root}/proc",
            f"mount -t tmpfs -o mode=1777 shm {root}/dev/shm",
            f"mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts {root}/dev/pts",
        ]
        commands += [f"mount --bind {device} {root}{device}" for device in _DEVICES]
        for path in self.mounts:
            source, target = shlex.quote(str(path)), shlex.quote(f"{self.root}{path}")
            commands += [
                f"mkdir -p {target}",
                f"mount --bind {source} {target}",
                f"mount -o remount,ro,bind {target}",
            ]
        return commands

    def clone(self, tree: Path, folder: str, user: str = "root") -> None:
        """Put a clone of the committed state of a Git tree into the machine.

        Args:
            tree: the tree, whose HEAD is taken.
            folder: where, seen from within; must not exist.
            user: whose it is to be.
        """
        place = self.root / folder.lstrip("/")
        head = subprocess.run(["git", "-C", str(tree), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        for command in (
            ["clone", "--no-hardlinks", "--no-checkout", str(tree), str(place)],
            ["-C", str(place), "checkout", "--detach", head.stdout.strip()],
        ):
            subprocess.run(["git", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        if user != "root" and self.run(["chown", "-R", f"{user}:", folder]) != 0:
            raise MachineError(f"{folder} could not be given to {user}")

    def size_gb(self) -> float:
        """Disk that the machine takes, in GB."""
        listing = subprocess.run(["du", "-s", "--block-size=1", str(self.root)], stdout=subprocess.PIPE, text=True)
        return int(listing.stdout.split()[0]) / 1e9

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.root, ignore_errors=True)


def require_root() -> None:
    """Refuse to go on without the right to make a machine.

    Raises:
        MachineError: this user is not root.
    """
    if os.geteuid() != 0:
        name = pwd.getpwuid(os.geteuid()).pw_name
        raise MachineError(f"only root can make a machine, and this is {name}; run it with sudo")
