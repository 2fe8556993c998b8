"""What a machine made here takes along, so that apt, pip and npm in it reach what they reach on this one.

Reads configuration only; knows nothing of how the machine is made. No host is named: all comes from this machine's own
files and environment.
"""

import ast
import configparser
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from tools.fresh.machine import suite_and_mirror

# Where proxies and certificates are, for pip, apt, npm and Python's ssl.
_VARIABLES = re.compile(
    r"PIP_.+|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS"
    r"|(?i:(https?|ftp|no|all)_proxy|npm_config_(registry|cafile))"
)
_NPM_FILES = (Path("/usr/etc/npmrc"), Path("/etc/npmrc"), Path("~/.npmrc").expanduser())
_NPM_OPTIONS = ("registry", "cafile")
_HREF = re.compile(r"""<a\s[^>]*href\s*=\s*["']([^"']+)""", re.IGNORECASE)
_APT = Path("/etc/apt")
# Keys that apt's sources name, and how names are looked up.
_OTHERS = (Path("/usr/share/keyrings"), Path("/etc/resolv.conf"), Path("/etc/hosts"))


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Choose the variables that pip, apt, npm and ssl read.

    Args:
        environment: e.g. os.environ.

    Returns:
        Those of them that are to be set in the machine. Not PIP_CONFIG_FILE: `pip_configuration` holds what it says.
    """
    return {
        name: value
        for name, value in environment.items()
        if _VARIABLES.fullmatch(name) and name != "PIP_CONFIG_FILE" and value
    }


def pip_options() -> dict[str, str]:
    """Ask pip for its configuration in force, from all of its files but not from the environment.

    Returns:
        "section.option" -> value.

    Raises:
        subprocess.CalledProcessError: this Python has no pip.
    """
    command = [sys.executable, "-m", "pip", "config", "list"]
    return parse_pip_options(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def parse_pip_options(text: str) -> dict[str, str]:
    """Read what `pip config list` prints: a line an option, the value quoted as in Python."""
    options = {}
    for line in text.splitlines():
        option, separator, value = line.partition("=")
        if separator and not option.startswith(":env:"):
            options[option] = ast.literal_eval(value)
    return options


def pip_configuration(options: Mapping[str, str]) -> str:
    """Write the options as one configuration file.

    Args:
        options: as `pip_options` gives them.

    Returns:
        The text of /etc/pip.conf.
    """
    parser = configparser.RawConfigParser()
    for option, value in options.items():
        section, _, name = option.partition(".")
        if not parser.has_section(section):
            parser.add_section(section)
        parser.set(section, name, value)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def npm_options(files: Iterable[Path]) -> dict[str, str]:
    """Read from npm's files where its registry is, without npm: the build brings its own where there is none.

    Args:
        files: of npm's configuration, the one that counts last.

    Returns:
        The environment that says the same.
    """
    options = {}
    for path in files:
        for line in path.read_text().splitlines() if path.is_file() else ():
            name, separator, value = (part.strip() for part in line.partition("="))
            if separator and name in _NPM_OPTIONS:
                options[f"npm_config_{name}"] = value.strip('"')
    return options


def local_paths(values: Iterable[str]) -> list[Path]:
    """Find the files and folders of this machine that options and variables point to.

    Args:
        values: of options and variables: paths, file: addresses, or several, separated by white space or colons.

    Returns:
        Existing absolute paths, sorted; also the folders to which an index's pages refer. Of a folder and what lies in
        it, the folder alone.
    """
    paths = set()
    for word in (word for value in values for word in value.split()):
        parts = [unquote(urlsplit(word).path)] if word.startswith("file:") else word.split(":")
        for path in (Path(part) for part in parts if part.startswith("/")):
            if path.exists() and path != Path("/"):
                paths.add(path)
                if path.is_dir():
                    paths |= _referred(path)
    return sorted(path for path in paths if not any(other in path.parents for other in paths))


def _referred(index: Path) -> set[Path]:
    """Folders with the files that the pages of an index name, as pip reads them."""
    folders = set()
    for page in (*index.glob("*.html"), *index.glob("*/index.html")):
        for address in _HREF.findall(page.read_text(errors="replace")):
            target = urlsplit(urljoin(page.as_uri(), address))
            path = Path(unquote(target.path))
            if target.scheme == "file" and path.is_file():
                folders.add(path.parent)
    return folders


def carry(machine: Path, suite: str = "") -> tuple[dict[str, str], list[Path]]:
    """Put this machine's configuration of apt, pip and npm into another one's files.

    Args:
        machine: the root folder of the other one; files under it are written.
        suite: of another Debian, whose main archive alone the other one then has; empty for this system's.

    Returns:
        The environment to set there, and the folders that have to be mounted at the same place: an index can be
        large. What the machine has a folder for, like certificates, is copied into it.
    """
    # What debootstrap wrote there would stand beside it.
    shutil.rmtree(_inside(machine, _APT), ignore_errors=True)
    for path in (_APT, *_OTHERS):
        _copy(path, machine)
    if suite:
        _use_suite(_inside(machine, _APT), suite)
    options, environment = pip_options(), npm_options(_NPM_FILES) | variables(os.environ)
    (machine / "etc/pip.conf").write_text(pip_configuration(options))
    mounts = []
    for path in local_paths([*options.values(), *environment.values()]):
        if path.is_dir() and not _inside(machine, path).exists():
            mounts.append(path)
        else:
            _copy(path, machine)
    return environment, mounts


def _use_suite(apt: Path, suite: str) -> None:
    """Leave one source in a folder of apt's configuration: the mirror that this system has, for another suite."""
    _, mirror = suite_and_mirror()
    shutil.rmtree(apt / "sources.list.d", ignore_errors=True)
    (apt / "sources.list").write_text(f"deb {mirror} {suite} main\n")


def _inside(machine: Path, path: Path) -> Path:
    return machine / path.relative_to("/")


def _copy(path: Path, machine: Path) -> None:
    target = _inside(machine, path)
    if not path.exists():
        return
    (target if path.is_dir() else target.parent).mkdir(parents=True, exist_ok=True)
    # Links in a folder stay links and replace what is there; a file is copied even where it is a link.
    source, links = (f"{path}/.", "--archive") if path.is_dir() else (str(path), "--dereference")
    subprocess.run(["cp", links, "--preserve=mode", "--remove-destination", source, str(target)], check=True)
