"""The most heap that a network takes on a target while it is loaded and run: found by trial, not by adding up.

Knows targets and the firmware's executor by name. A trial leaves a fresh board so many bytes of its heap in one piece
and fills all else, then loads and invokes; the least with which that works is the peak, garbage and gaps included.
"""

from __future__ import annotations

from kittiwake.errors import TargetError
from kittiwake.model.run import on_target
from kittiwake.target.base import Target

GRAIN_BYTES = 64
_TIMEOUT_S = 300.0
# Two calls, because the collector takes any word on the stack for an address: what `_fill` let go may be there yet.
_ON_BOARD = f"""
import gc
_ballast = [None] * 200
def _free():
    gc.collect()
    print(gc.mem_free())
def _fill(left):
    _ballast.clear()
    try:
        room = bytearray(left)
    except MemoryError:
        return
    size = 1 << 20
    while size >= {GRAIN_BYTES}:
        try:
            _ballast.append(bytearray(size))
        except MemoryError:
            size >>= 1
def _trial(left, kernel, mapped):
    gc.collect()
    if gc.mem_free() < left:
        return "held"
    try:
        from kittiwake_node.errors import NodeError
        from kittiwake_node.io import model_file
    except MemoryError:
        return "short"
    try:
        plan = model_file.read_plan({on_target.PLAN_NAME!r}, mapped)
        from kittiwake_node import kernels
        from kittiwake_node.network import Model
        model = Model(plan, kernels.load(kernel))
        given = bytearray(model.header.input_bytes)
        result = bytearray(model.header.output_bytes)
        model.invoke(given, result)
        model.invoke(given, result)
    except (MemoryError, NodeError):
        return "short"
    finally:
        _ballast.clear()
    return "runs"
"""


def measure(target: Target, kernel: str, mapped: bool = True) -> int:
    """Find the peak of a plan that `on_target.load` has put there.

    Args:
        target: started; rebooted by every trial, so what was loaded is gone afterwards.
        kernel: which kernels run it.
        mapped: use the plan where it lies in flash, on boards that can.

    Returns:
        Bytes, to GRAIN_BYTES: modules, kernels, plan where it is not mapped, model, both ends' buffers, an invoke.

    Raises:
        TargetError: the board failed.
    """
    # Where so much is not free in one piece, a trial says that it fits: the caller's own load has shown that all does.
    fails, fits = 0, _fresh(target) // GRAIN_BYTES
    while fits - fails > 1:
        middle = (fits + fails) // 2
        _fresh(target)
        if _works(target, middle, kernel, mapped):
            fits = middle
        else:
            fails = middle
    return fits * GRAIN_BYTES


def _fresh(target: Target) -> int:
    target.reboot()
    target.exec(_ON_BOARD)
    return int(target.exec("_free()"))


def _works(target: Target, left: int, kernel: str, mapped: bool) -> bool:
    size = left * GRAIN_BYTES
    target.exec(f"_fill({size})")
    said = target.exec(f"print(_trial({size}, {kernel!r}, {mapped!r}))", _TIMEOUT_S).strip()
    if said not in ("runs", "short"):
        raise TargetError(f"{target.name} could not leave {size} bytes of its heap free: {said}")
    return said == "runs"
