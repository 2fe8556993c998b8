"""Fetch MicroPython's source: Debian's source package, by an apt configuration of our own, or a checkout of the user's.

The system's apt sources stay as they are. Which mirrors to ask is read from them at run time; apt checks the mirror's
signature with the system's keyring, and every file by its hash.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import aptsources
import cache

from kittiwake.errors import KittiwakeError
from kittiwake.target import images

_TIMEOUT_S = 300
_MEND = "set MICROPY_DIR to a checkout of MicroPython"


def tree(folder: Path, say: Callable[[str], None]) -> Path:
    """Give MicroPython's source tree; fetch it unless it is there.

    Args:
        folder: the cache, locked.
        say: takes a line of progress.

    Returns:
        The tree's root. Nothing writes into it.

    Raises:
        KittiwakeError: it cannot be had here.
    """
    if os.environ.get("MICROPY_DIR"):
        images.source_id()  # complains when there is no such tree
        return Path(os.environ["MICROPY_DIR"]).expanduser().resolve()
    place = folder / f"source-{images.SOURCE_VERSION}"
    if cache.facts(place) is None:
        say(f"fetching the source of MicroPython {images.SOURCE_VERSION} ...")
        with cache.workshop(folder) as work:
            description = _download(work)
            made = work / "made"
            made.mkdir()
            _run(["dpkg-source", "-q", "-x", str(description), str(made / "tree")], work, "unpack the source")
            cache.publish(made, place, {"package": images.SOURCE_PACKAGE, "version": images.SOURCE_VERSION})
    return place / "tree"


def _download(work: Path) -> Path:
    """Let apt fetch and check the source package. Returns the path of its .dsc."""
    stanzas = aptsources.debian_stanzas(Path("/etc/apt"), Path("/etc/os-release"))
    if not stanzas:
        raise KittiwakeError("this system's apt has no Debian mirror that could have MicroPython's source", _MEND)
    parts = work / "sources.list.d"
    for path in (parts, work / "lists" / "partial", work / "archives" / "partial"):
        path.mkdir(parents=True)
    (parts / "debian.sources").write_text(aptsources.source_entries(stanzas, images.SOURCE_SUITE))
    apt = ["apt-get", "-q"]
    for setting in (
        "Dir::Etc::SourceList=/dev/null",
        f"Dir::Etc::SourceParts={parts}",
        f"Dir::State::Lists={work / 'lists'}",
        f"Dir::Cache={work}",
        f"Dir::Cache::Archives={work / 'archives'}",
        "APT::Sandbox::User=root",  # the folder is this user's alone
        "APT::Get::List-Cleanup=false",
        "Acquire::Languages=none",
        "Acquire::Retries=3",
    ):
        apt += ["-o", setting]
    _run([*apt, "update", "--error-on=any"], work, "reach a Debian mirror")
    wanted = f"{images.SOURCE_PACKAGE}={images.SOURCE_VERSION}"
    _run([*apt, "source", "--download-only", wanted], work, f"fetch the source package {wanted}")
    found = list(work.glob("*.dsc"))
    if len(found) != 1:
        raise KittiwakeError(f"apt fetched no description of {wanted}", _MEND)
    return found[0]


def _run(command: list[str], work: Path, purpose: str) -> None:
    if not shutil.which(command[0]):
        raise KittiwakeError(f"cannot {purpose}: {command[0]} is not there", _MEND)
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env=dict(os.environ, LC_ALL="C.UTF-8"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise KittiwakeError(f"cannot {purpose}: no answer in {_TIMEOUT_S} s", _MEND) from error
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.startswith(("E:", "dpkg-source: error"))]
        raise KittiwakeError(f"cannot {purpose}: {(lines or ['no reason given'])[0]}", _MEND)
