"""Why a model is refused, for a person: reasons of one cause are told once, and what to do about them.

Knows the lines that admit.py and lowering give; no graph. A float model gives a line or more an operator, which nobody
reads.
"""

from __future__ import annotations

import re

from kittiwake.errors import KittiwakeError

_CAUSES = 6  # told in full
_NAMED = 3  # others of a cause that are named
_OPERATOR = re.compile(r"operator (\d+) \((\w+)\)")
_HOWTO = "see docs/howto/model.md"
_MENDS = (
    (
        re.compile(r"is float32, not int8"),
        "this is a float model: convert it with a representative data set and inference_input_type=tf.int8, as "
        "kittiwake model quantise does",
    ),
    (
        re.compile(r"is int16, not int8"),
        "this layer takes activations of 8 bits alone: convert it with TFLITE_BUILTINS_INT8",
    ),
    (
        re.compile(r"its output is declared|a batch of 1 is what runs here"),
        "convert it with a batch of 1: keras.Input(shape, batch_size=1)",
    ),
    (re.compile(r"is not supported$"), "replace these layers, or leave their work to the program around the model"),
    (re.compile(r"the file is damaged|no \.tflite file"), "convert the model again, or load it again"),
)


class ModelRefused(KittiwakeError):
    """A model is damaged, or cannot be compiled.

    Args:
        reasons: one line each, all that were found.
        name: of the model, for the message.

    Attributes:
        reasons: as given; the message has those of one cause once.
    """

    def __init__(self, reasons: list[str], name: str = "the model"):
        super().__init__(f"{name} cannot be compiled: {_told_once(reasons)}", _mend(reasons))
        self.reasons = reasons


def _told_once(reasons: list[str]) -> str:
    causes: dict[str, list[str]] = {}
    for reason in reasons:
        causes.setdefault(_cause(reason), []).append(reason)
    shown = [_first_and_others(alike) for alike in list(causes.values())[:_CAUSES]]
    if len(causes) > _CAUSES:
        shown.append(f"and {len(causes) - _CAUSES} causes more")
    return "; ".join(shown)


def _cause(reason: str) -> str:
    # Of an operator that is not supported its kind is the cause, of others what is wrong with it.
    kind = r"operator \2" if reason.endswith("is not supported") else "operator"
    return re.sub(r"\d+", "#", _OPERATOR.sub(kind, reason))


def _first_and_others(alike: list[str]) -> str:
    if len(alike) == 1:
        return alike[0]
    numbers = [match[1] for reason in alike[1 : 1 + _NAMED] if (match := _OPERATOR.match(reason))]
    which = f" (operator{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}" if numbers else ""
    if which:
        which += ", …)" if len(alike) - 1 > len(numbers) else ")"
    return f"{alike[0]}, and {len(alike) - 1} more like it{which}"


def _mend(reasons: list[str]) -> str:
    for pattern, mend in _MENDS:
        if any(pattern.search(reason) for reason in reasons):
            return f"{mend}; {_HOWTO}"
    return ""
