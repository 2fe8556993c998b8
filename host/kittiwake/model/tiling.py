"""Which layers to compute in strips (patch-based inference): where that lowers the peak of RAM by more than it costs.

Candidates are estimated; the best few are lowered and placed, and what that says decides. Knows how a program is made
and what it costs; neither plans nor files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kittiwake.model.lower.steps import Program
from kittiwake.model.read import strips
from kittiwake.model.read.graph import Graph
from kittiwake.model.read.refusal import ModelRefused
from kittiwake.model.strip_candidates import STEP_BYTES, Candidates, Cut

# Of the bytes, at the most, for strips to be worth their steps.
_KEPT = 0.9
# Cuts one after the other; candidates of one that are lowered; those among them, within the cost, that are compared.
_ROUNDS, _TRIED, _COMPARED = 8, 12, 3


@dataclass(frozen=True)
class Made:
    """A program, its buffers placed.

    Attributes:
        program: lowered.
        scratch, state: bytes of RAM.
    """

    program: Program
    scratch: int
    state: int

    @property
    def ram(self) -> int:
        """Bytes of scratch and state."""
        return self.scratch + self.state

    @property
    def bytes(self) -> int:
        """RAM, with what its steps take on a board's heap."""
        return self.ram + STEP_BYTES * len(self.program.steps)


@dataclass(frozen=True)
class Chosen:
    """What came of it.

    Attributes:
        made: the program.
        cuts: what of it is in strips.
        whole: the program without strips; the same where nothing is cut.
    """

    made: Made
    cuts: tuple[Cut, ...]
    whole: Made


class Tiler:
    """Finds what of a model to compute in strips.

    Args:
        graph: an admitted model.
        make: lowers a graph and places its buffers.
        cost: of an invoke, in any unit.

    Attributes:
        whole: the program without strips.

    Raises:
        ModelRefused: by `make`.
    """

    def __init__(self, graph: Graph, make: Callable[[Graph], Made], cost: Callable[[Program], float]):
        self._graph, self._make, self._cost = graph, make, cost
        self.whole = make(graph)
        self._least = cost(self.whole.program)
        self._known: dict[frozenset[Cut], Made | None] = {}
        self._candidates = Candidates(graph.main)

    def choose(self, most_percent: float) -> Chosen:
        """Cut step by step, each time where the peak is; of all that came of it, give the one of the least bytes.

        Args:
            most_percent: what strips may add to the cost; 0 for no strips.
        """
        most = self._least * (1 + most_percent / 100)
        now, cuts = self.whole, frozenset[Cut]()
        best = Chosen(self.whole, (), self.whole)
        been = {cuts}
        for _ in range(_ROUNDS if most_percent > 0 else 0):
            fitting: list[tuple[Made, frozenset[Cut]]] = []
            for cut in self._candidates.where_peak_is(now.program, cuts, most_percent)[:_TRIED]:
                every = frozenset(each for each in cuts if not cut.region.contains(each.region)) | {cut}
                made = None if every in been else self._made(every)
                if made is not None and self._cost(made.program) <= most:
                    fitting.append((made, every))
                if len(fitting) == _COMPARED:
                    break
            if not fitting:
                break
            # It may be no better than before: where two peaks are about as high, one is cut after the other.
            now, cuts = min(fitting, key=lambda each: each[0].bytes)
            been.add(cuts)
            if now.bytes < best.made.bytes:
                best = Chosen(now, tuple(sorted(cuts, key=lambda cut: cut.region.first)), self.whole)
        return best if best.made.bytes <= _KEPT * self.whole.bytes else Chosen(self.whole, (), self.whole)

    def _made(self, cuts: frozenset[Cut]) -> Made | None:
        """The program in strips; None where that takes too many steps."""
        if cuts not in self._known:
            try:
                self._known[cuts] = self._make(strips.cut(self._graph, [(cut.region, cut.strips) for cut in cuts]))
            except ModelRefused:
                self._known[cuts] = None
        return self._known[cuts]
