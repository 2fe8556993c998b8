"""`make test-lowest`: which versions it has to try, and pip's configuration in uv's words."""

import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

from tools import lowest

ROOT = Path(__file__).resolve().parents[2]

PROJECT = {
    "name": "thing",
    "dependencies": ["a>=1.2,<3", "b[x]~=2.1"],
    "optional-dependencies": {
        "one": ["thing[two]", "c==4.0.1", "a>=1.10"],
        "two": ['d>=5; python_version >= "3"', 'e>=6; python_version < "3"'],
        "three": ["f"],
    },
}


def test_lowest_bounds_follow_extras_and_markers_and_take_the_later_of_two():
    expected = {"a": "1.10", "b": "2.1", "c": "4.0.1", "d": "5"}
    assert lowest.bounds(PROJECT, ["one"]) == {name: Version(version) for name, version in expected.items()}
    assert set(lowest.bounds(PROJECT, [])) == {"a", "b"}


def test_lowest_requirement_without_a_bound_is_refused():
    with pytest.raises(ValueError, match="f has no lower bound"):
        lowest.bounds(PROJECT, ["three"])


def test_lowest_every_requirement_of_the_project_has_a_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"typer", "pytest", "mpremote"} <= set(lowest.bounds(project, list(project["optional-dependencies"])))


def test_lowest_pip_options_become_uv_variables():
    index = "index" + "-url"
    options = {
        f"global.{index}": "file:///a",
        f"install.extra-{index}": "file:///b file:///c",
        "global.find-links": "/w /x",
        "global.timeout": "5",
    }
    assert lowest.uv_variables(options) == {
        "UV_DEFAULT_INDEX": "file:///a",
        "UV_INDEX": "file:///b file:///c",
        "UV_FIND_LINKS": "/w,/x",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
