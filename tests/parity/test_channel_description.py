"""A scale is the same number at the gateway and on the board, whatever JSON value it is written as."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kittiwake.publish.channel_description import parse_description
from kittiwake_node.link import channel_description, exact_json
from tests.support.micropython import FIRMWARE, run_text

# JSON texts: numbers as they may be written, texts that are numbers or nearly, and values of every other type.
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
DECIMAL = r"[0-9]{0,26}(\.[0-9]{0,26})?([eE][+-]?[0-9]{0,3})?"
TEXTS = st.from_regex(rf"[+-]?{DECIMAL}(/[+-]?{DECIMAL})?", fullmatch=True) | st.text(max_size=8)
OTHERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
VALUES = NUMBERS | (TEXTS | OTHERS).map(json.dumps)
FIELDS = st.fixed_dictionaries({}, optional={"scale": VALUES, "offset": VALUES})
CHANNELS = FIELDS.map(lambda fields: "{" + "".join(f'"{k}": {v}, ' for k, v in fields.items()) + '"unit": "V"}')
DESCRIPTIONS = st.lists(CHANNELS, max_size=3).map(lambda channels: "[" + ", ".join(channels) + "]")

EXACT = [
    ("0.1", Fraction(1, 10)),
    ('"0.1"', Fraction(1, 10)),
    ("3", Fraction(3)),
    ("-25e-4", Fraction(-1, 400)),
    ("1E2", Fraction(100)),
    ('"3.3/4095"', Fraction(33, 40950)),
    ('"-1/100"', Fraction(-1, 100)),
    ('"12."', Fraction(12)),
    ("0.12345678901234567890123", Fraction("0.12345678901234567890123")),
]
NO_NUMBERS = ["null", "true", "[0.1]", '{"a": 1}', '""', '"x"', '".5"', '"1/0"', '"1/-2"', '"1e999"', "1e100", '"٣"']


def at_the_gateway(text):
    return [(c.scale, c.offset, c.unit) for c in parse_description(text.encode())]


def on_the_board(text):
    channels = channel_description.read(text.encode(), json.loads)
    return [(Fraction(*c.scale), Fraction(*c.offset), c.unit) for c in channels]


@pytest.mark.parametrize("read", [at_the_gateway, on_the_board])
@pytest.mark.parametrize(("value", "number"), EXACT)
def test_scale_is_the_number_that_is_written(read, value, number):
    text = f'[{{"scale": {value}, "offset": {value}, "unit": "V"}}]'
    assert read(text) == [(number, number, "V")]


@pytest.mark.parametrize("read", [at_the_gateway, on_the_board])
@pytest.mark.parametrize("key", ["scale", "offset"])
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_scale_that_is_no_number_leaves_integers_without_a_unit(read, key, value):
    text = f'[{{"scale": "1/2", "offset": "5", "unit": "V", "{key}": {value}}}]'
    assert read(text) == [(1, 0, "")]


@settings(max_examples=500, deadline=None)
@given(DESCRIPTIONS)
def test_scale_of_any_json_is_the_same_at_both_ends(text):
    assert on_the_board(text) == at_the_gateway(text)


@settings(max_examples=10, deadline=None)
@given(descriptions=st.lists(DESCRIPTIONS, min_size=20, max_size=60))
def test_scale_of_any_json_is_the_same_on_micropython(tmp_path_factory, descriptions):
    cases = tmp_path_factory.mktemp("descriptions") / "cases"
    cases.write_text("\n".join(descriptions) + "\n", encoding="utf-8")
    lines = run_text("tests/parity/description_run.py", str(FIRMWARE), str(cases)).splitlines()
    assert len(lines) == len(descriptions)
    for line, text in zip(lines, descriptions, strict=True):
        words = iter(line.split())
        read = [(Fraction(scale), Fraction(next(words)), next(words).replace("-", "")) for scale in words]
        assert read == at_the_gateway(text), text


@given(OTHERS)
def test_exact_json_changes_nothing_but_decimal_numbers(value):
    text = json.dumps(value)
    assert exact_json.parse(text, json.loads) == json.loads(text, parse_float=str)


def test_scale_taken_as_a_float_would_be_caught(monkeypatch):
    monkeypatch.setattr(exact_json, "_has_float", lambda value: False)
    with pytest.raises(AssertionError):
        test_scale_is_the_number_that_is_written(on_the_board, *EXACT[0])
