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
_BINARY = "a b output sizes*4 a_strides*4 b_strides*4"
KINDS = {
    "conv": _kind(
        1,
        "input output stream outputs inputs filled rows cols in_row in_col out_row out_col segments segment_bytes"
        " segment_offsets line zero wide weight_layout",
        "`filled` is `inputs` filled up; `segment_offsets` is the offset of i32 offsets; `line` is in scratch",
    ),
    "depthwise": _kind(
        2,
        "input output stream channels filter_height filter_width rows cols in_row in_col out_row out_col tap_down"
        " tap_across zero wide tap_offsets weight_layout",
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
        "input output kept_sizes*3 kept_strides*3 joined_sizes*3 joined_strides*3 m right left zero bias",
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
}


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
