"""What may be cut into strips where a program has its peak of RAM, the best by an estimate first.

Knows a graph and where its programs have their peaks; makes no program.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kittiwake.model import strip_sizes
from kittiwake.model.emit import arena
from kittiwake.model.lower.steps import SCRATCH, Program
from kittiwake.model.read import strips
from kittiwake.model.read.graph import Subgraph
from kittiwake.model.read.strips import Region

# A step takes a pair and a place in a list of the board's heap.
STEP_BYTES = 20
_STEPS_AN_OPERATOR = 1.5
_COUNTS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48)
_LEAST_PEAK = 8192  # bytes of scratch below which strips are not looked for
# Of the peak: what a cut must bring the memory of its operators below; and what counts as a peak of the same height.
_LOWER, _EQUAL = 0.97, 0.97


@dataclass(frozen=True)
class Cut:
    """Operators that are computed in strips.

    Attributes:
        region: which.
        strips: how many.
    """

    region: Region
    strips: int


class Candidates:
    """Finds what may be cut of a graph.

    Args:
        main: of an admitted model.
    """

    def __init__(self, main: Subgraph):
        self._main = main
        self._regions: list[Region] | None = None
        self._work = 0
        # Of a cut: multiply-accumulates that are done again (None where it cannot be), and bytes of the tallest strip.
        self._known: dict[Cut, tuple[int | None, int]] = {}

    def where_peak_is(self, program: Program, cuts: Collection[Cut], most_percent: float) -> list[Cut]:
        """Give cuts that lower what lives at the first of the highest steps.

        Args:
            program: of the graph, its buffers placed.
            cuts: that were made in it; a candidate has all of one, or nothing.
            most_percent: of the multiply-accumulates, how many may be done again.

        Returns:
            Them, the best first.
        """
        alive = arena.alive(program)
        peak = max(alive, default=0)
        if peak < _LEAST_PEAK:
            return []
        if self._regions is None:
            self._regions = list(strips.regions(self._main))
            operators = self._main.operators
            self._work = sum(strip_sizes.macs(self._main, op) for op in operators if strips.images(self._main, op))
        places = self._places(program)
        highest = places[alive.index(peak)]
        found: list[tuple[float, int, Cut]] = []
        for region in self._regions:
            is_part = any(cut.region.overlaps(region) and not region.contains(cut.region) for cut in cuts)
            if not region.first <= highest <= region.last or is_part:
                continue
            beside, floor = self._beside(program, alive, places, region)
            for count in _COUNTS:
                if floor > _LOWER * peak or count > self._main.tensors[region.result].shape[1]:
                    break
                cut = Cut(region, count)
                again, tallest = self._of(cut)
                if again is None or again > self._work * most_percent / 100:
                    break
                steps = STEP_BYTES * _STEPS_AN_OPERATOR * count * (region.last - region.first + 1)
                if floor + tallest + steps < _LOWER * peak:
                    found.append((max(beside, floor + tallest) + steps, len(found), cut))
        return [cut for _, _, cut in sorted(found, key=lambda each: each[:2])]

    def _of(self, cut: Cut) -> tuple[int | None, int]:
        if cut not in self._known:
            again, tallest = strip_sizes.repeated(self._main, cut.region, cut.strips), 0
            if again is not None:
                parts = strips.borders(self._main.tensors[cut.region.result].shape[1], cut.strips)
                some = {0, cut.strips // 2, (cut.strips + 1) // 2, cut.strips - 1}
                tallest = max(strip_sizes.strip_bytes(self._main, cut.region, *parts[at]) for at in some)
            self._known[cut] = again, tallest
        return self._known[cut]

    def _places(self, program: Program) -> list[int]:
        """Of each step, the place of its operator in the graph; -1 of those that have none."""
        place_of = {str(op.index): at for at, op in enumerate(self._main.operators)}
        return [place_of.get(step.source.partition(" ")[0], -1) for step in program.steps]

    def _beside(self, program: Program, alive: Sequence[int], places: Sequence[int], region: Region) -> tuple[int, int]:
        """The peak before and after a region, equal ones left out; and what lives all through it, its ends too."""
        steps = [at for at, place in enumerate(places) if region.first <= place <= region.last]
        first, last = steps[0], steps[-1]
        buffers = {b for step in program.steps for b in (*step.reads, *step.writes) if b.kind == SCRATCH}
        kept = sum(b.size for b in buffers if b.first < first and b.last > last)
        if any(b.first < first <= b.last <= last for b in buffers):
            entry = self._main.tensors[region.entry]
            kept += entry.elements * entry.width
        others = (*alive[:first], *alive[last + 1 :])
        beside = max((bytes_ for bytes_ in others if bytes_ < _EQUAL * max(alive)), default=0)
        return beside, kept + strip_sizes.padded_bytes(self._main, region.result)
