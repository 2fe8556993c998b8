"""Facts that host and board each say for themselves, held together: neither can import the other here."""

import ast
from fractions import Fraction
from pathlib import Path

from kittiwake.runs import detect
from kittiwake_node.detect import zscore

ROOT = Path(__file__).parents[2]


def body_of(path, name):
    """A function's statements without its docstring, as text that says nothing of names of its own."""
    (function,) = [
        node
        for node in ast.parse((ROOT / path).read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return [ast.dump(statement) for statement in statements]


def test_number_of_a_slot_is_read_alike_by_main_and_by_deploy():
    # main.py chooses a slot before anything of the firmware can be imported.
    ours = body_of("host/kittiwake/board_code/deploy/slots.py", "slot_number")
    assert ours and ours == body_of("firmware/main.py", "_number")


def test_default_threshold_of_the_host_is_the_boards():
    for n in range(2, 1025):
        assert detect.default_threshold(n) == Fraction(*zscore.default_threshold(n)), n
