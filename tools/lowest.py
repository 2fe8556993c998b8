"""The lowest versions that pyproject.toml allows: an environment of their own, and the unit and CLI tests in it.

    python tools/lowest.py FOLDER EXTRAS [PYTEST_ARGUMENT ...]

uv resolves and installs, with the index and the certificates that pip is configured for.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.fresh import settings  # noqa: E402

_TESTS = ["tests/unit", "tests/cli"]
# pip's option, for an index without its ending "-url" -> uv's environment variable.
_UV = {
    "index": "UV_DEFAULT_INDEX",
    "extra-index": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def bounds(project: dict[str, Any], extras: list[str]) -> dict[str, Version]:
    """Collect the lower bounds of the package and of these extras, as far as their markers hold here.

    Args:
        project: the table [project] of pyproject.toml.
        extras: names of optional dependencies; those of the project's own that they name are followed.

    Returns:
        Distribution -> the lowest version that all of its requirements allow.

    Raises:
        ValueError: a requirement has no lower bound.
    """
    lowest: dict[str, Version] = {}
    waiting = [Requirement(line) for line in project["dependencies"]]
    waiting += [Requirement(f"{project['name']}[{','.join(extras)}]")]
    while waiting:
        requirement = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate():
            continue
        if requirement.name == project["name"]:
            waiting += [
                Requirement(line) for name in requirement.extras for line in project["optional-dependencies"][name]
            ]
            continue
        versions = [Version(part.version) for part in requirement.specifier if part.operator in (">=", "==", "~=")]
        if not versions:
            raise ValueError(f"{requirement} has no lower bound")
        lowest[requirement.name] = max([*versions, *filter(None, [lowest.get(requirement.name)])])
    return lowest


def uv_variables(options: dict[str, str]) -> dict[str, str]:
    """Say pip's configuration in uv's words.

    Args:
        options: "section.option" -> value, as `settings.pip_options` gives them.

    Returns:
        Environment variables for uv. As pip does, it takes the best version of all indexes.
    """
    by_name = {option.rpartition(".")[2].removesuffix("-url"): value for option, value in options.items()}
    variables = {_UV[name]: value for name, value in by_name.items() if name in _UV}
    if "UV_FIND_LINKS" in variables:
        variables["UV_FIND_LINKS"] = ",".join(variables["UV_FIND_LINKS"].split())
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **variables}


def install(uv: str, folder: Path, extras: list[str]) -> dict[str, str]:
    """Make the environment: the lowest versions of what pyproject.toml names, the newest of what these need.

    Args:
        uv: the program.
        folder: of the environment; what was there is removed.
        extras: names of optional dependencies.

    Returns:
        Distribution -> version, of all that was resolved.

    Raises:
        subprocess.CalledProcessError: there is no such set, or it cannot be installed; uv or pip has printed why.
    """
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python, pinned = str(folder / "bin" / "python"), folder / "lowest.txt"
    environment = {**uv_variables(settings.pip_options()), **os.environ}
    resolve = [uv, "pip", "compile", "--quiet", "--python", python, "--resolution", "lowest-direct", "--no-annotate"]
    resolve += [word for extra in extras for word in ("--extra", extra)]
    put = [uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "-r", str(pinned)]
    for command in ([*resolve, "--output-file", str(pinned), "pyproject.toml"], put):
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    # The build system's lowest version, too, which is in the environment already.
    own = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", "."]
    subprocess.run(own, cwd=ROOT, check=True)
    return dict(_PIN.findall(pinned.read_text()))


def main(argv: list[str]) -> int:
    """Make the environment and run the tests in it.

    Args:
        argv: the folder of the environment, extras with commas, and arguments for pytest.

    Returns:
        pytest's exit status, or 1 when there is no environment to run it in.
    """
    folder, extras = Path(argv[0]), argv[1].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    try:
        versions = install(str(Path(sys.executable).with_name("uv")), folder, extras)
        for name, bound in sorted(bounds(project, extras).items()):
            note = "" if Version(versions[name]) == bound else f" (none of {bound} to this is to be had)"
            print(f"{name} {versions[name]}{note}", flush=True)
    except subprocess.CalledProcessError as error:
        print(f"test-lowest: {error.cmd[0]} failed with status {error.returncode}", file=sys.stderr)
        return 1
    python = str(folder / "bin" / "python")
    return subprocess.run([python, "-m", "pytest", "-q", *(argv[2:] or _TESTS)], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
