"""Verify: every suite's vectors through the firmware on a target, held against the independent reference."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kittiwake import board_code
from kittiwake.boards import arch
from kittiwake.target.base import Target
from kittiwake.verify.suites import Suite, Vector

_BATCH_BYTES = 4096  # source handed to a board at a time; small boards have little heap
_TIMEOUT_S = 120.0


@dataclass
class Result:
    """One suite on one target.

    Attributes:
        suite, target: names.
        vectors: how many were tried.
        mismatches: how many came out differently.
        first: the first of them in full (about, argument, expected, got), or None.
        kernels: the modules of kernels that answered, such as "viper_zscore": a stage which a board's assembler does
            not have, and a board that has none, are seen here.
    """

    suite: str
    target: str
    vectors: int = 0
    mismatches: int = 0
    first: dict[str, str] | None = None
    kernels: list[str] = field(default_factory=list)

    @property
    def kernel_sets(self) -> list[str]:
        """Names of the sets that the modules are of."""
        return sorted({module.partition("_")[0] for module in self.kernels})


def verify(
    target: Target,
    suite: Suite,
    seed: int = 1,
    count: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Run one suite on a started target.

    Args:
        target: started.
        suite: what to run.
        seed: of the random vectors.
        count: vectors; the suite's own number when None.
        on_progress: called with the vectors done and to do.

    Returns:
        The Result. A run over no vectors is a mismatch, not a pass.

    Raises:
        TargetError: the board died or does not answer. An exception in the firmware's code is a mismatch.
    """
    total = suite.count if count is None else count
    result = Result(suite.name, target.name)
    board = target.facts()
    fastest = arch.kernels_of(board["arch"], board["cpu"])[-1]
    programs = ("verify/chosen", suite.program, "verify/ask")
    target.exec(f"fastest = {fastest!r}\n" + "".join(map(board_code.source, programs)))
    batch: list[Vector] = []
    size = 0
    for vector in suite.vectors(random.Random(f"{suite.name} {seed}"), total):
        if batch and size + len(vector.argument) > _BATCH_BYTES:
            _run(target, suite.function, batch, result)
            on_progress(result.vectors, total)
            batch, size = [], 0
        batch.append(vector)
        size += len(vector.argument)
    if batch:
        _run(target, suite.function, batch, result)
    if result.vectors == 0:
        result.mismatches = 1
        result.first = {"about": "the suite gave no vectors", "argument": "", "expected": "some", "got": "none"}
    result.kernels = target.exec("print(*sorted(modules_used))").split()
    on_progress(result.vectors, total)
    return result


def _run(target: Target, function: str, batch: Sequence[Vector], result: Result) -> None:
    lines = target.exec("".join(f"ask({function}, {v.argument})\n" for v in batch), _TIMEOUT_S).splitlines()
    for at, vector in enumerate(batch):
        result.vectors += 1
        actual = lines[at].strip() if at < len(lines) else "nothing"
        if actual != vector.expected.strip():
            result.mismatches += 1
            if result.first is None:
                result.first = {
                    "about": vector.about,
                    "argument": vector.argument,
                    "expected": vector.expected,
                    "got": actual,
                }
