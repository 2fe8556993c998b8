"""A plan on a target: put there, run over inputs, its costs counted.

Knows targets and the firmware's executor by name; no .tflite and no reference.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kittiwake.errors import ConfigError, TargetError
from kittiwake.target.base import Target

PLAN_NAME = "model.kwm"
_TIMEOUT_S = 300.0
_BATCH_BYTES = 1500  # source handed to a board at a time
_ON_BOARD = f"""
import gc
from binascii import a2b_base64, hexlify
def _load(kernel, mapped):
    global _model, _result, _given
    _model = _result = _given = None
    gc.collect()
    before = gc.mem_alloc()
    from kittiwake_node.errors import NodeError
    from kittiwake_node.io import model_file
    try:
        plan = model_file.read_plan({PLAN_NAME!r}, mapped)  # first: the largest piece, before imports leave gaps
        from kittiwake_node import kernels
        from kittiwake_node.network import Model
        _model = Model(plan, kernels.load(kernel))
        _result = bytearray(_model.header.output_bytes)
        _given = bytearray(_model.header.input_bytes)
    except NodeError as error:
        print("!", error)
        return
    gc.collect()
    print(gc.mem_alloc() - before)
def _run(text, resets):
    data = a2b_base64(text)
    size = len(_given)
    for i in range(0, len(data), size):
        if resets:
            _model.reset()
        for k in range(size):
            _given[k] = data[i + k]
        _model.invoke(_given, _result)
        print(hexlify(_result).decode())
"""
_COUNT = """
import gc, kwboard
gc.collect()
print(kwboard.count(_model.invoke, _given, _result))
"""
_TIME = """
import time
def _measure():
    best = None
    for _ in range(8):
        turns = 0
        began = time.ticks_us()
        while True:
            _model.invoke(_given, _result)
            turns += 1
            took = time.ticks_diff(time.ticks_us(), began)
            if took > 5000:
                break
        if best is None or took / turns < best:
            best = took / turns
    print(best)
_measure()
"""


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
        ConfigError: the firmware refuses it; its reason is the message.
        TargetError: the board failed.
    """
    target.deploy({PLAN_NAME: plan})
    target.exec(_ON_BOARD)
    said = target.exec(f"_load({kernel!r}, {mapped!r})", _TIMEOUT_S).strip()
    if said.startswith("!"):
        raise ConfigError(f"{target.name} refuses the plan: {said.removeprefix('!').strip()}")
    return Loaded(int(said))


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
        lines = target.exec(f"_run({text!r}, {resets!r})", _TIMEOUT_S).split()
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
        return {"instructions": int(target.exec(_COUNT, _TIMEOUT_S))}
    return {"microseconds": round(float(target.exec(_TIME, _TIMEOUT_S)), 1)}
