"""Fetch sources: MicroPython's, and what of QEMU's describes the cores that it emulates.

They come from Debian's source packages, by an apt configuration of our own, or from trees of the user's.

The system's apt sources stay as they are. Which mirrors to ask is read from them at run time; apt checks the mirror's
signature with the system's keyring, and every file by its hash.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from kittiwake.errors import KittiwakeError
from kittiwake.target import images
from tools.micropython import aptsources, cache

_TIMEOUT_S = 300
_MEND = "set MICROPY_DIR to a checkout of MicroPython"
_CORE_MEND = "set QEMU_DIR to QEMU's source, 7.2"


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
            package = f"{images.SOURCE_PACKAGE}={images.SOURCE_VERSION}"
            description = _download(["--download-only", package], images.SOURCE_SUITE, "*.dsc", work, _MEND)
            result = work / "made"
            result.mkdir()
            _run(["dpkg-source", "-q", "-x", str(description), str(result / "tree")], work, "unpack the source", _MEND)
            cache.publish(result, place, {"package": images.SOURCE_PACKAGE, "version": images.SOURCE_VERSION})
    return place / "tree"


def core_tree(folder: Path, say: Callable[[str], None]) -> Path:
    """Give the parts of QEMU's source that describe its cores (`images.CORE_PARTS`); fetch them unless they are there.

    Args:
        folder: the cache, locked.
        say: takes a line of progress.

    Returns:
        The tree's root. Nothing writes into it.

    Raises:
        KittiwakeError: they cannot be had here, or are not those that are known.
    """
    identity = images.core_source_id()
    if os.environ.get("QEMU_DIR"):
        return Path(os.environ["QEMU_DIR"]).expanduser().resolve()
    place = folder / f"core_source-{identity[:16]}"
    if cache.facts(place) is None:
        say("fetching the tables of QEMU's cores ...")
        with cache.workshop(folder) as work:
            arguments = ["--tar-only", images.CORE_PACKAGE]
            archive = _download(arguments, images.CORE_SUITE, images.CORE_ARCHIVE, work, _CORE_MEND)
            if hashlib.sha256(archive.read_bytes()).hexdigest() != images.CORE_SHA256:
                raise KittiwakeError(f"the mirror's {images.CORE_ARCHIVE} is not the one that is known", _CORE_MEND)
            result = work / "made"
            tree = result / "tree"
            tree.mkdir(parents=True)
            unpack = ["tar", "-xJf", str(archive), "-C", str(tree), "--strip-components=1", "--wildcards"]
            _run([*unpack, *(f"*/{part}" for part in images.CORE_PARTS)], work, f"unpack {archive.name}", _CORE_MEND)
            cache.publish(result, place, {"archive": images.CORE_ARCHIVE, "sha256": images.CORE_SHA256})
    return place / "tree"


def _download(arguments: list[str], suite: str, pattern: str, work: Path, mend: str) -> Path:
    """Let apt fetch and check a source package: `apt-get source` with these arguments. Returns the file so called."""
    package = arguments[-1]
    stanzas = aptsources.debian_stanzas(Path("/etc/apt"), Path("/etc/os-release"))
    if not stanzas:
        raise KittiwakeError(f"this system's apt has no Debian mirror that could have the source of {package}", mend)
    parts = work / "sources.list.d"
    for path in (parts, work / "lists" / "partial", work / "archives" / "partial"):
        path.mkdir(parents=True)
    (parts / "debian.sources").write_text(aptsources.source_entries(stanzas, suite))
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
    _run([*apt, "update", "--error-on=any"], work, "reach a Debian mirror", mend)
    _run([*apt, "source", *arguments], work, f"fetch the source package {package}", mend)
    files = list(work.glob(pattern))
    if len(files) != 1:
        raise KittiwakeError(f"apt fetched no {pattern} of {package}", mend)
    return files[0]


def _run(command: list[str], work: Path, purpose: str, mend: str) -> None:
    if not shutil.which(command[0]):
        raise KittiwakeError(f"cannot {purpose}: {command[0]} is not there", mend)
    try:
        finished = subprocess.run(
            command,
            cwd=work,
            env=dict(os.environ, LC_ALL="C.UTF-8"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise KittiwakeError(f"cannot {purpose}: no answer in {_TIMEOUT_S} s", mend) from error
    if finished.returncode != 0:
        lines = [line for line in finished.stdout.splitlines() if line.startswith(("E:", "dpkg-source: error"))]
        raise KittiwakeError(f"cannot {purpose}: {(lines or ['no reason given'])[0]}", mend)
