"""The words of every step's descriptor, by name and in order: the one list of them.

`words` makes descriptors by these names. The table of steps in docs/spec/model-plan.md is what `table` writes, and the
kernels' constants are tested against the list: viper and assembler need numbers where others would import a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kittiwake.model.lower.steps import Word


@dataclass(frozen=True)
class Kind:
    """One kind of step.

    Attributes:
        number: in the plan.
        words: names in order; "sizes*4" stands for four words.
        note: what the specification adds to the names.
        repeats: the words after the first stand as often as the first says.
    """

    number: int
    words: tuple[str, ...]
    note: str = ""
    repeats: bool = False


def _kind(number: int, words: str, note: str = "", repeats: bool = False) -> Kind:
    return Kind(number, tuple(words.split()), note, repeats)


_POOL = (
    "input output channels rows cols height width filter_height filter_width stride_down stride_across pad_above"
    " pad_left in_row in_col out_row out_col"
)
# The words that say how a filter walks stand at the same places, whether bytes or halfwords lie there.
_DENSE_WALK = (
    "input output stream outputs inputs filled rows cols in_row in_col out_row out_col segments segment_bytes"
    " segment_offsets line"
)
_DEPTHWISE_WALK = (
    "input output stream channels filter_height filter_width rows cols in_row in_col out_row out_col tap_down"
    " tap_across"
)
_BINARY = "a b output sizes*4 a_strides*4 b_strides*4"
_MEAN = "input output kept_sizes*3 kept_strides*3 joined_sizes*3 joined_strides*3 m right left"
KINDS = {
    "conv": _kind(
        1,
        f"{_DENSE_WALK} zero wide weight_layout",
        "`filled` is `inputs` filled up; `segment_offsets` is the offset of i32 offsets; `line` is in scratch",
    ),
    "depthwise": _kind(
        2,
        f"{_DEPTHWISE_WALK} zero wide tap_offsets weight_layout",
        "`tap_offsets` is the offset of i32 offsets",
    ),
    "shift": _kind(3, "count output input bytes", "the last three `count` times; forwards, ends may overlap", True),
    "copy": _kind(4, "input output sizes*4 in_strides*4 out_strides*4"),
    "fill": _kind(5, "output bytes value"),
    "table": _kind(6, "input output table rows row_bytes in_row out_row", "`table` is the offset of 256 bytes"),
    "widen": _kind(7, "input output table count", "`table` is the offset of 256 words"),
    "add": _kind(
        8, f"{_BINARY} a_terms b_terms m right left zero", "`a_terms` and `b_terms` are offsets of 256 i32 terms"
    ),
    "mul": _kind(9, f"{_BINARY} a_zero b_zero m right left zero"),
    "average": _kind(10, _POOL),
    "largest": _kind(11, _POOL),
    "mean": _kind(
        12,
        f"{_MEAN} zero bias",
        "`bias` has 2^29 added",
    ),
    "softmax": _kind(
        13, "input output rows classes exponentials", "`exponentials` is the offset of 256 i32 exponentials"
    ),
    "quantise": _kind(14, "input output thresholds count zero", "`thresholds` is the offset of 256 words"),
    "dense16": _kind(
        15,
        "input output stream outputs inputs filled cols in_col out_col line wide",
        "the stream is in `rows` for all kernels; outputs are i16",
    ),
    "lstm": _kind(
        16,
        "x_gates h_gates cell hidden output units curve times rounded clip input_right m right zero",
        "gates and cell are i16; `x_gates` is written; `curve` is the offset of 256 u16",
    ),
    "matmul": _kind(
        17,
        "a b output rows cols inner a_row a_step b_col b_step a_zero b_zero m right left zero",
        "`output` has no gaps",
    ),
    "svdf16": _kind(
        18,
        "state output weights biases units rank memory m right zero",
        "`state` is i16; `weights` and `biases` are offsets of i16 and i32",
    ),
    "log_softmax": _kind(
        19,
        "input output rows classes exponentials differences",
        "`exponentials` and `differences` are offsets of 256 i32, by the distance from a row's largest",
    ),
    # Of int16 activations.
    "conv16": _kind(20, f"{_DENSE_WALK} low high", "the stream is that of 16x8 for all kernels"),
    "depthwise16": _kind(21, f"{_DEPTHWISE_WALK} low high", "the stream is that of 16x8 for all kernels"),
    "add16": _kind(22, f"{_BINARY} a_negative b_negative b_m b_right m right low high"),
    "mul16": _kind(23, f"{_BINARY} m right low high"),
    "rescale16": _kind(
        24,
        "input output count in_width out_width zero m right left below_m below_right below_left out_zero low high",
        "a width is 1 or 2 bytes; zeros have 2^15 added",
    ),
    "pool16": _kind(25, f"{_POOL} averages low high"),
    "mean16": _kind(26, _MEAN),
    "curve16": _kind(27, "input output count curve m right is_tanh", "`curve` is the offset of 256 u16"),
    "softmax16": _kind(
        28,
        "input output rows classes exponentials reciprocals m right left",
        "`exponentials` and `reciprocals` are offsets of 513 i16",
    ),
    "quantise16": _kind(29, "input output count mantissa exponent", "both of the scale's float"),
    "widen16": _kind(30, "input output count mantissa exponent", "both of the scale's float"),
}


# Those of int16 activations, which a node's networks have not.
OF_HALFWORDS = frozenset(name for name, kind in KINDS.items() if kind.number >= KINDS["conv16"].number)


def indexes(kind: str) -> dict[str, int]:
    """Give the place of each word of a descriptor; of four words of one name, the first's.

    Args:
        kind: one of KINDS.

    Returns:
        Name -> index.
    """
    places, at = {}, 0
    for word in KINDS[kind].words:
        name, _, count = word.partition("*")
        places[name] = at
        at += int(count or 1)
    return places


def words(kind: str, **values: Word | Sequence[Word]) -> list[Word]:
    """Put the words of a descriptor in order.

    Args:
        kind: one of KINDS, not one that repeats.
        values: each word by its name; a sequence where a name stands for several.

    Returns:
        The words.

    Raises:
        ValueError: a word is missing, is none of the kind's, or there are too many or too few under a name.
    """
    ordered: list[Word] = []
    for word in KINDS[kind].words:
        name, _, count = word.partition("*")
        if name not in values:
            raise ValueError(f"{kind} has no {name}")
        value = values.pop(name)
        several = list(value) if isinstance(value, Sequence) else [value]
        if len(several) != int(count or 1):
            raise ValueError(f"{kind}: {name} has {len(several)} words, not {count or 1}")
        ordered += several
    if values:
        raise ValueError(f"a {kind} has no {', '.join(values)}")
    return ordered


def table() -> str:
    """Write the table of steps as the specification has it.

    Returns:
        Markdown.
    """
    lines = ["| kind | name | words |", "|---|---|---|"]
    for name, kind in KINDS.items():
        words = ", ".join(f"`{word.replace('*', '` × ')}" + ("" if "*" in word else "`") for word in kind.words)
        lines.append(f"| {kind.number} | {name} | {words}{'; ' + kind.note if kind.note else ''} |")
    return "\n".join(lines) + "\n"
