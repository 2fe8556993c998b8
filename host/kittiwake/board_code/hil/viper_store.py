"""Stores a number beside another, and looks: MicroPython 1.25's compiler for windowed Xtensa loses such a store."""

from array import array

import micropython


@micropython.viper
def step(state: ptr32) -> int:  # noqa: F821 - a name of the viper compiler
    """Count at the second place; return what stands there then."""
    n = state[1]
    state[1] = n + 1
    return state[1]


numbers = array("I", [7, 1, 7, 7])
assert step(numbers) == 2 and list(numbers) == [7, 2, 7, 7]
