"""What a parity suite is: a function that yields vectors, and a program that answers them on a board.

It knows no target and compares nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Vector:
    """One question and its answer.

    Attributes:
        argument: a Python literal, handed to the suite's function on the board.
        expected: the line that must be printed.
        about: what it is, for the report of a mismatch.
    """

    argument: str
    expected: str
    about: str


@dataclass(frozen=True)
class Suite:
    """A named suite.

    Attributes:
        name: as `kittiwake verify --suite` takes it.
        program: file of board_code.
        function: of the program; called with a vector's argument, it prints one line.
        vectors: called as vectors(rng, count), yields about `count` of them.
        count: vectors of a full run.
    """

    name: str
    program: str
    function: str
    vectors: Callable[[random.Random, int], Iterator[Vector]]
    count: int


_suites: dict[str, Suite] = {}


def register(suite: Suite) -> Suite:
    """Add a suite; a name can be taken once."""
    if suite.name in _suites:
        raise ValueError(f"suite {suite.name} is registered twice")
    _suites[suite.name] = suite
    return suite


def registered() -> dict[str, Suite]:
    """Every suite registered so far by name, in the order of registration."""
    return dict(_suites)
