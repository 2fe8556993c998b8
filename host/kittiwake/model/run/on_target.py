"""A plan on a target: put there, run over inputs, its costs counted.

Knows targets and the firmware's executor by name; no .tflite and no reference.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kittiwake import board_code
from kittiwake.errors import TargetError
from kittiwake.target import in_place, refusal
from kittiwake.target.base import Target

PLAN_NAME, _PLAN_IN_PLACE = "model.kwm", "model-in-place.kwm"
_TIMEOUT_S = 300.0
_LARGE = 0.6  # of the free heap
_PIECE_BYTES = 1500  # of inputs, handed to a board at a time as text


@dataclass(frozen=True)
class Loaded:
    """A plan that is ready on a target.

    Attributes:
        heap_bytes: of the board's heap that model, kernels and plan hold while no invoke runs.
        plan_name: file of the plan.
    """

    heap_bytes: int
    plan_name: str = PLAN_NAME


def load(target: Target, plan: bytes, kernel: str, mapped: bool = True) -> Loaded:
    """Put a plan on a started target and make it ready.

    One that takes most of what is free of the heap is put, with the firmware, where flash is memory, if the target can.

    Args:
        target: started.
        plan: the .kwm file's content.
        kernel: which kernels run it.
        mapped: use the plan where it lies in flash, on boards that can.

    Returns:
        What it takes.

    Raises:
        RefusedError: by the firmware; its reason is the message.
        TargetError: the board failed.
    """
    if mapped and in_place.is_possible(target) and len(plan) > target.facts()["heap_free"] * _LARGE:
        name = _PLAN_IN_PLACE
        in_place.deploy(target, {name: plan})
    else:
        name = PLAN_NAME
        target.deploy({name: plan})
    target.exec(board_code.source("model/plan"))
    reply = target.exec(board_code.call("load", name, kernel, mapped), _TIMEOUT_S)
    return Loaded(int(refusal.raise_if_refused(reply, f"{target.name} refuses the plan")), name)


def invoke(
    target: Target,
    inputs: Sequence[bytes],
    resets: bool = False,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[bytes]:
    """Run the loaded plan over inputs, in order.

    Args:
        target: after `load`.
        inputs: raw bytes, one an invoke.
        resets: begin each invoke with fresh state.
        on_progress: called with the number of invokes done.

    Returns:
        The outputs.

    Raises:
        TargetError: the board failed, or answered something else.
    """
    outputs: list[bytes] = []
    size = len(inputs[0]) if inputs else 1
    content = b"".join(inputs)
    for start in range(0, len(content), _PIECE_BYTES):
        text = base64.b64encode(content[start : start + _PIECE_BYTES]).decode()
        lines = target.exec(board_code.call("run", start % size, text, resets), _TIMEOUT_S).split()
        outputs += [bytes.fromhex(line) for line in lines]
        on_progress(len(outputs))
    if len(outputs) != len(inputs):
        raise TargetError(f"the board gave {len(outputs)} outputs for {len(inputs)} inputs")
    return outputs


def cost(target: Target) -> dict[str, float]:
    """What one more invoke of the loaded plan costs.

    Returns:
        {"instructions": …} where they can be counted, else {"microseconds": …}.
    """
    if target.instructions() is not None:
        return {"instructions": int(target.exec("print_instructions()", _TIMEOUT_S))}
    return {"microseconds": round(float(target.exec("print_us()", _TIMEOUT_S)), 1)}
