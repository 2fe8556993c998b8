"""A descriptor's words stand once, in the compiler: specification, kernels and executor are held against that list."""

import ast
import re
from pathlib import Path

import pytest

from kittiwake.model.lower import descriptors, weights
from kittiwake_node import network
from kittiwake_node.kernels import entries16

ROOT = Path(__file__).resolve().parents[2]
KERNELS = ROOT / "firmware/kittiwake_node/kernels"
STAGES = {
    "conv": ["conv"],
    "depthwise": ["depthwise"],
    "copy": ["copy"],
    "shape": ["shift", "fill"],
    "table": ["table", "widen"],
    "pointwise": ["add", "mul"],
    "pool": ["average", "largest", "mean"],
    "softmax": ["softmax"],
    "floats": ["quantise"],
    "recurrent": ["dense16", "lstm", "svdf16"],
    "matmul": ["matmul"],
    "conv16": ["conv16", "depthwise16"],
    "pointwise16": ["add16", "mul16", "rescale16"],
    "pool16": ["pool16", "mean16"],
    "curve16": ["curve16", "softmax16"],
    "floats16": ["quantise16", "widen16"],
}
# What the assembler sources call a word, where it is not the list's name.
ASSEMBLER = {
    "CONV": {"LENGTH": "segment_bytes", "OFFSETS": "segment_offsets", "CHANNELS": "outputs"},
    "DEPTHWISE": {"HEIGHT": "filter_height", "WIDTH": "filter_width", "TAPS": "tap_offsets"},
}
COMMON = {"IN": "input", "OUT": "output"}


def constants(tree):
    """Name -> number of `_NAME = const(n)` and `_NAME = n`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value.args[0] if isinstance(node.value, ast.Call) else node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, int):
                yield node.targets[0].id, value.value


def wrong(text, kinds):
    """The constants of a kernel's source that are named as words and are not their places, and how many are right."""
    tree, bad, good = ast.parse(text), [], 0
    places = {}
    for kind in kinds:
        for word, place in descriptors.indexes(kind).items():
            for name in (f"_{word.upper()}", f"_{kind.upper()}_{word.upper()}"):
                places.setdefault(name, set()).add(place)
    for name, number in constants(tree):
        if name in places:
            good += number in places[name] and len(places[name]) == 1
            bad += [name] if number not in places[name] or len(places[name]) > 1 else []
    return bad, good


def test_specification_has_the_compilers_table():
    assert descriptors.table() in (ROOT / "docs/spec/model-plan.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("written_in", ["plain", "viper"])
@pytest.mark.parametrize("stage", STAGES)
def test_kernel_names_every_word_of_its_descriptor_by_its_place(stage, written_in):
    text = (KERNELS / f"{written_in}_{stage}.py").read_text(encoding="utf-8")
    bad, good = wrong(text, STAGES[stage])
    assert not bad
    assert not re.search(r"\bd\[\d", text), "a word by its number"
    assert good >= 4 or (written_in, stage) == ("plain", "shape")  # it takes its words apart by `words`


def test_kernel_with_a_wrong_constant_would_be_caught():
    text = (KERNELS / "viper_conv.py").read_text(encoding="utf-8")
    assert wrong(text.replace("_ZERO = const(16)", "_ZERO = const(17)"), ["conv"])[0] == ["_ZERO"]


def test_assembler_names_every_word_by_its_place():
    text = (ROOT / "firmware/assembler/layout/network.h").read_text(encoding="utf-8")
    found = re.findall(r"^#define (LAYER|CONV|DEPTHWISE)_(\w+) (\d+)$", text, re.MULTILINE)
    assert len(found) >= 20
    for owner, name, offset in found:
        for kind in ("conv", "depthwise") if owner == "LAYER" else (owner.lower(),):
            places = descriptors.indexes(kind)
            word = ASSEMBLER[kind.upper()].get(name) or COMMON.get(name) or name.lower()
            assert int(offset) == 4 * places[word], f"{owner}_{name} of {kind}"


def test_executor_knows_the_kinds_by_their_numbers():
    assert [function for _, function in network._ENTRIES + entries16.ENTRIES] == list(descriptors.KINDS)
    assert [kind.number for kind in descriptors.KINDS.values()] == list(range(1, len(descriptors.KINDS) + 1))
    assert network.LAYOUTS == weights.WEIGHT_LAYOUTS


def test_words_that_are_missing_unknown_or_too_many_are_refused():
    with pytest.raises(ValueError, match="fill has no value"):
        descriptors.words("fill", output=0, bytes=1)
    with pytest.raises(ValueError, match="a fill has no size"):
        descriptors.words("fill", output=0, bytes=1, value=2, size=3)
    with pytest.raises(ValueError, match="sizes has 3 words, not 4"):
        descriptors.words("copy", input=0, output=0, sizes=(1, 1, 1), in_strides=(0,) * 4, out_strides=(0,) * 4)
    assert descriptors.words("fill", output=7, bytes=8, value=9) == [7, 8, 9]
