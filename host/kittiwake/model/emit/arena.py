"""Where buffers lie: scratch placed by liveness so that RAM is known to the byte, state one after the other.

Knows buffers and when steps use them; not what the steps do.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from kittiwake.model.lower.steps import SCRATCH, Buffer, Program, Ref, View

ALIGNMENT = 4
# Kernels take bytes four at a time and may read this many beyond what they need.
SLACK = 4
_TRIES = 2000
_WORK = 2_000_000


def place(program: Program) -> tuple[int, int]:
    """Give every scratch and state buffer its place; constants get theirs when the plan is written.

    Args:
        program: changed: buffers are placed, and joined where a step may work in place.

    Returns:
        (scratch bytes, state bytes), SLACK included.
    """
    _join(program)
    live = _live(program)
    scratch = [buffer for buffer in live if buffer.kind == SCRATCH]
    places, total = _search(scratch, len(program.steps))
    for buffer, place in places.items():
        buffer.place = place
    at = 0
    for buffer in program.states:
        buffer.place = at
        at += _aligned(buffer.size)
    return total + SLACK, at + SLACK


def alive(program: Program) -> list[int]:
    """Count the bytes of scratch that live while each step runs.

    Args:
        program: its buffers placed.
    """
    buffers = {b for s in program.steps for b in (*s.reads, *s.writes, *s.temps) if b.kind == SCRATCH}
    return [sum(_aligned(b.size) for b in buffers if b.first <= at <= b.last) for at in range(len(program.steps))]


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _live(program: Program) -> list[Buffer]:
    """Set first and last of every buffer in use; returns them in order of appearance."""
    buffers: dict[int, Buffer] = {}

    def touch(buffer: Buffer, at: int) -> None:
        if id(buffer) not in buffers:
            buffers[id(buffer)] = buffer
            buffer.first = at
        buffer.last = at

    touch(program.input.buffer, -1)
    for at, step in enumerate(program.steps):
        for buffer in (*step.reads, *step.writes, *step.temps):
            touch(buffer, at)
    touch(program.output.buffer, len(program.steps))
    return list(buffers.values())


def _join(program: Program) -> None:
    """Let a step write over its input where nothing reads that again."""
    _live(program)
    joined: dict[int, Buffer] = {}

    def now(buffer: Buffer) -> Buffer:
        while id(buffer) in joined:
            buffer = joined[id(buffer)]
        return buffer

    for at, step in enumerate(program.steps):
        if step.joins is None:
            continue
        source, destination = now(step.joins[0]), now(step.joins[1])
        is_free = source.last == at and destination.first == at and source is not destination
        if is_free and source.kind == SCRATCH:
            joined[id(destination)] = source
            source.last = destination.last
    if not joined:
        return
    for step in program.steps:
        step.words = [Ref(now(w.buffer), w.offset) if isinstance(w, Ref) else w for w in step.words]
        step.reads = [now(buffer) for buffer in step.reads]
        step.writes = [now(buffer) for buffer in step.writes]
    program.output = _moved(program.output, now)
    program.input = _moved(program.input, now)


def _moved(view: View, now: Callable[[Buffer], Buffer]) -> View:
    return dataclasses.replace(view, buffer=now(view.buffer))


def _search(buffers: list[Buffer], steps: int) -> tuple[dict[Buffer, int], int]:
    """Try orders until one needs no more than what lives at once, or long enough; the same for the same model."""
    least = 0
    for at in range(-1, steps + 1):
        least = max(least, sum(_aligned(b.size) for b in buffers if b.first <= at <= b.last))
    tried = [sorted(buffers, key=key) for key in _ORDERS]
    results = [(*_pack(order), order) for order in tried]
    places, total, order = min(results, key=lambda r: r[1])
    chance = random.Random(len(buffers))
    for _ in range(min(_TRIES, _WORK // max(1, len(buffers)) ** 2)):
        if total == least or len(buffers) < 2:
            break
        i, k = chance.sample(range(len(buffers)), 2)
        swapped = list(order)
        swapped[i], swapped[k] = swapped[k], swapped[i]
        other, size = _pack(swapped)
        if size <= total:  # an equal one too: plateaus are where the way on begins
            places, total, order = other, size, swapped
    return places, total


def _pack(buffers: list[Buffer]) -> tuple[dict[Buffer, int], int]:
    """Put each buffer into the lowest gap that is free while it lives."""
    places: dict[Buffer, int] = {}
    total = 0
    for buffer in buffers:
        others = sorted(
            (place, place + _aligned(other.size))
            for other, place in places.items()
            if other.first <= buffer.last and buffer.first <= other.last
        )
        at = 0
        for start, end in others:
            if at + buffer.size <= start:
                break
            at = max(at, end)
        places[buffer] = at
        total = max(total, at + _aligned(buffer.size))
    return places, total


_ORDERS: tuple[Callable[[Buffer], tuple[int, int]], ...] = (
    lambda b: (-b.size, b.first),
    lambda b: (b.first, -b.size),
    lambda b: (b.last, -b.size),
    lambda b: (b.first - b.last, -b.size),
    lambda b: (-b.size * (b.last - b.first + 1), b.first),
)
