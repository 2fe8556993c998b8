"""Facts that host and board each say for themselves, held together: neither can import the other here."""

import ast
from fractions import Fraction
from pathlib import Path

from kittiwake.explain import hearing
from kittiwake.runs import detect
from kittiwake_node import channel, config
from kittiwake_node.detect import zscore
from kittiwake_node.speech import last_second

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
    ours = body_of("host/kittiwake/board_code/deploy/slots.py", "mark_number")
    assert ours and ours == body_of("firmware/main.py", "_number")


def constant(path, name):
    """An integer that a module of the firmware keeps to itself."""
    (value,) = [
        statement.value
        for statement in ast.parse((ROOT / path).read_text()).body
        if isinstance(statement, ast.Assign) and [target.id for target in statement.targets] == [name]
    ]
    return ast.literal_eval(value)


def test_memory_of_audio_that_explain_says_is_the_firmwares():
    assert hearing.RING_BYTES == last_second.RING_BYTES
    assert hearing.RATE_HZ == last_second.SAMPLES == config._MICROPHONE_HZ
    assert constant("firmware/kittiwake_node/assembly.py", "_AUDIO_SPARE_BYTES") == hearing.SPARE_BYTES
    assert hearing.PART_SAMPLES == channel._PART_SAMPLES
    frame_samples = constant("firmware/kittiwake_node/speech/hearing.py", "_FRAME_SAMPLES")
    assert 1000 * frame_samples == hearing.FRAME_MS * hearing.RATE_HZ


def test_default_threshold_of_the_host_is_the_boards():
    for n in range(2, 1025):
        assert detect.default_threshold(n) == Fraction(*zscore.default_threshold(n)), n
