"""Programs for boards are files; they arrive on the board as they stand there, and their arguments as they were."""

import ast
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kittiwake
from kittiwake import board_code
from kittiwake.target import mpy

HOST = Path(kittiwake.__file__).parent
PROGRAMS = sorted(path.relative_to(HOST / "board_code") for path in (HOST / "board_code").glob("*/*.py"))
NAMES = [path.with_suffix("").as_posix() for path in PROGRAMS]

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def test_board_code_has_programs():
    assert len(NAMES) > 10


@pytest.mark.parametrize("name", NAMES)
def test_board_code_source_keeps_statements_and_their_lines(name):
    whole = (HOST / "board_code" / f"{name}.py").read_text()
    sent = board_code.source(name)
    assert len(sent.splitlines()) == len(whole.splitlines())
    kept = [node for node in ast.walk(ast.parse(sent)) if isinstance(node, ast.stmt)]
    expected = [
        node
        for node in ast.walk(ast.parse(whole))
        if isinstance(node, ast.stmt) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert [(type(node), node.lineno) for node in kept] == [(type(node), node.lineno) for node in expected]


@pytest.mark.parametrize("name", NAMES)
def test_board_code_compiles_for_boards(name):
    content = board_code.source(name).encode()
    assert mpy.compile_files({"x.py": content}, "armv7m")["x.mpy"]


@pytest.mark.parametrize("name", NAMES)
def test_board_code_is_used_by_the_host(name):
    users = [path for path in HOST.rglob("*.py") if f'"{name}"' in path.read_text()]
    assert users


def test_board_code_source_of_no_program_raises():
    with pytest.raises(FileNotFoundError):
        board_code.source("doctor/nothing")


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine draws slowly
@given(st.lists(_values, max_size=4))
def test_board_code_call_carries_its_arguments(arguments):
    line = board_code.call("f", *arguments)
    assert "\n" not in line
    call = ast.parse(line, mode="eval").body
    assert [ast.literal_eval(argument) for argument in call.args] == arguments


@pytest.mark.parametrize("value", [math.inf, math.nan, object(), Path("x"), {1, 2}, bytearray(b"x"), [math.inf]])
def test_board_code_call_with_no_literal_raises(value):
    with pytest.raises(TypeError, match="no literal"):
        board_code.call("f", value)


def _programs_in_strings(source: str) -> list[int]:
    """Lines of strings that are several statements of Python, and no docstrings."""
    tree = ast.parse(source)
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
        if is_text and "\n" in node.value:  # a single line may stand where it is used
            try:
                statements = ast.parse(node.value).body
            except (SyntaxError, ValueError):
                continue
            if len(statements) > 1 and any(
                isinstance(s, ast.Import | ast.ImportFrom | ast.FunctionDef) for s in statements
            ):
                found.append(node.lineno)
    return found


def test_host_has_no_program_for_boards_in_a_string():
    places = {str(path.relative_to(HOST)): _programs_in_strings(path.read_text()) for path in HOST.rglob("*.py")}
    assert {name: lines for name, lines in places.items() if lines} == {}


def test_programs_in_strings_are_found():
    assert _programs_in_strings('"""Doc."""\nX = """\nimport gc\nprint(gc.mem_free())\n"""\n') == [2]
