"""A plan on a target: put there, run over inputs, its costs counted.

Knows targets and the firmware's executor by name; no .tflite and no reference.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kittiwake import board_code
from kittiwake.errors import TargetError
from kittiwake.target import refusal
from kittiwake.target.base import Target

PLAN_NAME = "model.kwm"
_TIMEOUT_S = 300.0
_BATCH_BYTES = 1500  # source handed to a board at a time


@dataclass(frozen=True)
class Loaded:
    """A plan that is ready on a target.

    Attributes:
        heap_bytes: of the board's heap that model, kernels and plan hold while no invoke runs.
    """

    heap_bytes: int


def load(target: Target, plan: bytes, kernel: str, mapped: bool = True) -> Loaded:
    """Put a plan on a started target and make it ready.

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
    target.deploy({PLAN_NAME: plan})
    target.exec(board_code.source("model/plan"))
    reply = target.exec(board_code.call("load", PLAN_NAME, kernel, mapped), _TIMEOUT_S)
    return Loaded(int(refusal.raise_if_refused(reply, f"{target.name} refuses the plan")))


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
    batch = max(1, _BATCH_BYTES // max(1, len(inputs[0]))) if inputs else 1
    for start in range(0, len(inputs), batch):
        part = inputs[start : start + batch]
        text = base64.b64encode(b"".join(part)).decode()
        lines = target.exec(board_code.call("run", text, resets), _TIMEOUT_S).split()
        if len(lines) != len(part):
            raise TargetError(f"the board gave {len(lines)} outputs for {len(part)} inputs")
        outputs += [bytes.fromhex(line) for line in lines]
        on_progress(len(outputs))
    return outputs


def cost(target: Target) -> dict[str, float]:
    """What one more invoke of the loaded plan costs.

    Returns:
        {"instructions": …} where they can be counted, else {"microseconds": …}.
    """
    if target.instructions() is not None:
        return {"instructions": int(target.exec("print_instructions()", _TIMEOUT_S))}
    return {"microseconds": round(float(target.exec("print_us()", _TIMEOUT_S)), 1)}
