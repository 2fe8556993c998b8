"""What a plan will cost: instructions by kernel set, from what was measured on the emulated boards.

Knows steps and a table of figures; nothing is run. Near what `kittiwake model run` counts on the networks
that the table was made from; a cache, a wait state or a pipeline is not in it.
"""

from __future__ import annotations

from kittiwake.model.lower import descriptors
from kittiwake.model.lower.steps import Program, Step

# Instructions: a product of a dense layer with one pixel, with several; of a depthwise one; scaling an output; a call.
_SETS = {
    "viper": (12.3, 12.3, 30.0, 105.0, 1500.0),
    "thumb2": (2.35, 1.95, 4.3, 21.0, 1100.0),
    "dsp": (1.65, 1.3, 4.3, 19.0, 1100.0),
    "rv32": (3.6, 3.0, 5.9, 29.0, 1300.0),
    "xtensa": (3.3, 3.3, 7.5, 50.0, 1500.0),
}
# Steps that are written once for all, in viper: an element of their output, or a product where they have some.
_ELEMENT = {
    "shift": 1.5,
    "copy": 3.0,
    "fill": 2.0,
    "table": 18.0,
    "widen": 20.0,
    "add": 130.0,
    "mul": 130.0,
    "softmax": 400.0,
    "quantise": 150.0,
    "lstm": 700.0,
}
_PRODUCT = {"matmul": 30.0, "svdf16": 30.0, "average": 20.0, "largest": 26.0, "mean": 20.0}
KERNELS = tuple(_SETS)
_CONV = descriptors.indexes("conv")


def instructions(program: Program, kernel: str) -> int:
    """Estimate an invoke.

    Args:
        program: its buffers placed.
        kernel: one of KERNELS.

    Returns:
        Instructions.
    """
    return round(sum(of_step(step, kernel) for step in program.steps))


def of_step(step: Step, kernel: str) -> float:
    """Estimate one step.

    Args:
        step: of a program.
        kernel: one of KERNELS.

    Returns:
        Instructions.
    """
    one_pixel, pixels, tap, output, call = _SETS[kernel]
    if step.kind == "conv":
        is_one = step.words[_CONV["rows"]] == step.words[_CONV["cols"]] == 1
        each = one_pixel if is_one else pixels
        return call + each * step.macs + output * step.outputs
    if step.kind == "depthwise":
        return call + tap * step.macs + output * step.outputs
    if step.kind == "dense16":  # in viper for all kernels
        return call + 16.0 * step.macs + 105.0 * step.outputs
    if step.kind in _PRODUCT:
        return call + _PRODUCT[step.kind] * step.macs + 60 * step.outputs
    return call + _ELEMENT[step.kind] * step.outputs
