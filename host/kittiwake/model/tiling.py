"""Which layers to compute in strips (patch-based inference): where that lowers the peak of RAM by more than it costs.

Candidates are estimated; the best few are lowered and placed, and what that says decides. Knows how a program is made
and what it costs; neither plans nor files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kittiwake.model import strip_sizes
from kittiwake.model.emit import arena
from kittiwake.model.lower.steps import SCRATCH, Program
from kittiwake.model.read import strips
from kittiwake.model.read.graph import Graph, Subgraph
from kittiwake.model.read.refusal import ModelRefused
from kittiwake.model.read.strips import Region

# A step takes a pair and a place in a list of the board's heap.
STEP_BYTES = 20
_COUNTS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48)
_LEAST_PEAK = 8192  # bytes of scratch below which strips are not looked for
# Of the bytes, at the most, for strips to be worth their steps: in all, and of a cut more.
_KEPT, _KEPT_A_ROUND = 0.9, 0.97
# Cuts one after the other; candidates of one that are lowered; those among them, within the cost, that are compared.
_ROUNDS, _TRIED, _COMPARED = 6, 12, 3
_STEPS_AN_OPERATOR = 1.5


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
class Cut:
    """Operators that are computed in strips.

    Attributes:
        region: which.
        strips: how many.
    """

    region: Region
    strips: int


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

    def choose(self, most_percent: float) -> Chosen:
        """Cut step by step, at each the one of the least bytes that was found.

        Args:
            most_percent: what strips may add to the cost; 0 for no strips.
        """
        most = self._least * (1 + most_percent / 100)
        best = self.whole
        cuts: tuple[Cut, ...] = ()
        for _ in range(_ROUNDS if most_percent > 0 else 0):
            fitting: list[tuple[Made, tuple[Cut, ...]]] = []
            for cut in _candidates(self._graph.main, best, cuts, most_percent)[:_TRIED]:
                every = (*(each for each in cuts if not cut.region.contains(each.region)), cut)
                made = self._made(every)
                if made is not None and self._cost(made.program) <= most:
                    fitting.append((made, every))
                if len(fitting) == _COMPARED:
                    break
            least = min(fitting, key=lambda each: each[0].bytes, default=(best, cuts))
            if least[0].bytes > _KEPT_A_ROUND * best.bytes:
                break
            best, cuts = least
        if best.bytes > _KEPT * self.whole.bytes:
            return Chosen(self.whole, (), self.whole)
        return Chosen(best, tuple(sorted(cuts, key=lambda cut: cut.region.first)), self.whole)

    def _made(self, cuts: Sequence[Cut]) -> Made | None:
        """The program in strips; None where that takes too many steps."""
        key = frozenset(cuts)
        if key not in self._known:
            try:
                self._known[key] = self._make(strips.cut(self._graph, [(cut.region, cut.strips) for cut in cuts]))
            except ModelRefused:
                self._known[key] = None
        return self._known[key]


def _candidates(main: Subgraph, made: Made, cuts: Sequence[Cut], most_percent: float) -> list[Cut]:
    """Cuts that lower the peak of a program by an estimate, the best first."""
    alive = arena.alive(made.program)
    peak = max(alive, default=0)
    if peak < _LEAST_PEAK:
        return []
    work = sum(strip_sizes.macs(main, op) for op in main.operators if strips.images(main, op))
    places = _places(main, made.program)
    highest = {place for place, bytes_ in zip(places, alive, strict=True) if bytes_ == peak}
    found: list[tuple[float, int, Cut]] = []
    for region in strips.regions(main):
        inside = range(region.first, region.last + 1)
        parts_of_others = any(cut.region.overlaps(region) and not region.contains(cut.region) for cut in cuts)
        if not highest <= set(inside) or parts_of_others:
            continue
        beside, floor = _beside(main, made.program, alive, places, region)
        rows = main.tensors[region.result].shape[1]
        for count in _COUNTS:
            if max(beside, floor) > _KEPT_A_ROUND * peak or count > rows:
                break
            again = strip_sizes.repeated(main, region, count)
            if again is None or again > work * most_percent / 100:
                break
            parts = strips.borders(rows, count)
            tallest = max(
                strip_sizes.strip_bytes(main, region, *parts[at]) for at in {0, count // 2, (count + 1) // 2, count - 1}
            )
            steps = STEP_BYTES * _STEPS_AN_OPERATOR * count * len(inside)
            estimate = max(beside, floor + tallest) + steps + STEP_BYTES * (len(places) - len(inside))
            if estimate < _KEPT_A_ROUND * peak + STEP_BYTES * len(made.program.steps):
                found.append((estimate, len(found), Cut(region, count)))
    return [cut for _, _, cut in sorted(found, key=lambda each: each[:2])]


def _places(main: Subgraph, program: Program) -> list[int]:
    """Of each step, the place of its operator in the graph; -1 of those that have none."""
    place_of = {str(op.index): at for at, op in enumerate(main.operators)}
    return [place_of.get(step.source.partition(" ")[0], -1) for step in program.steps]


def _beside(
    main: Subgraph, program: Program, alive: Sequence[int], places: Sequence[int], region: Region
) -> tuple[int, int]:
    """The peak before and after a region, and what lives all through it: its ends, and what others keep."""
    steps = [at for at, place in enumerate(places) if region.first <= place <= region.last]
    if not steps:
        return 0, 1 << 62
    first, last = steps[0], steps[-1]
    buffers = {b for step in program.steps for b in (*step.reads, *step.writes) if b.kind == SCRATCH}
    kept = sum(b.size for b in buffers if b.first < first and b.last > last)
    if any(b.first < first <= b.last <= last for b in buffers):
        kept += main.tensors[region.entry].elements * (4 if main.tensors[region.entry].type == "float32" else 1)
    beside = max((*alive[:first], *alive[last + 1 :]), default=0)
    return beside, kept + strip_sizes.padded_bytes(main, region.result)
