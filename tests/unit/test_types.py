"""What `make check` holds mypy to: nothing but a few marked lines escapes it, and each says why."""

import io
import re
import tokenize
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST = 20

# A code in brackets, and then a reason of some words.
_IGNORE = re.compile(r"#\s*type:\s*ignore(?P<code>\[[a-z, -]+\])?(?P<rest>.*)")
_REASON = re.compile(r"\s+#\s*\S+(\s+\S+){2,}")


def _ignores(source: str) -> list[tuple[int, bool]]:
    """Give line and whether code and reason are there, of each `type: ignore` in comments."""
    comments = [
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    matches = [(line, _IGNORE.search(comment)) for line, comment in comments]
    return [
        (line, match["code"] is not None and _REASON.match(match["rest"]) is not None)
        for line, match in matches
        if match is not None
    ]


def _checked_files() -> list[Path]:
    return sorted(
        path
        for folder in ("host", "tools", "firmware")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".pyi")
    )


def test_types_ignores_of_this_tree_are_few_and_give_reasons():
    files = _checked_files()
    assert len(files) > 200
    ignores = [
        (f"{path.relative_to(ROOT)}:{line}", is_complete)
        for path in files
        for line, is_complete in _ignores(path.read_text())
    ]
    assert [place for place, is_complete in ignores if not is_complete] == []
    assert len(ignores) <= MOST


def test_types_of_no_file_are_switched_off():
    switched_off = re.compile(r"(?m)^\s*#\s*mypy:|@(typing\.)?no_type_check")
    assert [path for path in _checked_files() if switched_off.search(path.read_text())] == []


def test_types_configuration_relaxes_nothing():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert settings["strict"] is True
    assert "overrides" not in settings
    assert not any(name.startswith(("allow_", "ignore_", "disable_", "follow_")) for name in settings)
    assert not any(settings.get(name) is False for name in settings)
    assert settings["files"][:1] + settings["files"][-1:] == ["host/kittiwake", "tools"]
    # Programs of boards stand apart; nothing else is left out.
    assert settings["exclude"] == ["^host/kittiwake/board_code/[^/]+/"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = f()  # type: ignore[arg-type]  # the library's stub is wrong here", [(1, True)]),
        ("x = f()  # type: ignore[arg-type]", [(1, False)]),
        ("x = f()  # type: ignore  # the library's stub is wrong here", [(1, False)]),
        ("x = f()  # type: ignore[arg-type]  # no", [(1, False)]),
        ("x = '# type: ignore'", []),
    ],
)
def test_types_ignore_without_code_or_reason_is_found(source, expected):
    assert _ignores(source) == expected
