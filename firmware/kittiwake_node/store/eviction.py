"""Eviction: which segments go when the journal is full, and what that does to its counts (docs/spec/journal.md).

It chooses; the journal writes that down with the commit that needed the room, and then removes them.
"""

from . import segment as seg

if False:  # for mypy alone
    from collections.abc import Callable

    from .chains import Chains
    from .cursor import Cursor


def choose(
    chains: "Chains",
    cls: int,
    size: int,
    limit_bytes: int,
    next_seq: int,
    after: "seg.State",
    is_write_next: bool,
    succeed: "Callable[[int], bool]",
    cursor: "Cursor",
) -> list[tuple[int, int]] | None:
    """Oldest segments of the lowest classes to remove, up to `cls`, so that a batch fits.

    Args:
        chains: chains.Chains.
        cls: class of the batch.
        size: bytes of it.
        limit_bytes: that all segments may take.
        next_seq: number of its first record.
        after: a segment.State, changed here: counts and floors as they are without the victims.
        is_write_next: the batch is written before the victims go, so its own class gets a new segment if need be.
        succeed: called as succeed(class), begins a new segment of it; whether that went well.
        cursor: cursor.Cursor.

    Returns:
        A list of (class, first_seq); None when it cannot fit.
    """
    victims = []
    tail = chains.tails[cls]
    need = chains.used_bytes - limit_bytes
    if not tail.has_room(seg.MARK_BYTES + size):
        need += chains.blocks(seg.HEAD_BYTES + tail.unfolded_bytes(after.acked) + seg.MARK_BYTES + size)
    for lowest in range(cls + 1):
        segments = chains.segments[lowest]
        at = 0
        while need > 0 and at < len(segments):
            first_seq, held = segments[at]
            if at + 1 < len(segments):
                floor = segments[at + 1][0]
            elif lowest == cls:
                # The newest segment goes on being written: it may go only when this very commit begins another.
                floor = chains.begins_at(cls, size, next_seq, after.acked)
                if not is_write_next or floor < 0:
                    break
            else:
                cost = chains.blocks(seg.HEAD_BYTES + chains.tails[lowest].unfolded_bytes(after.acked))
                if chains.blocks(held) <= cost or not succeed(lowest):
                    break
                need += cost
                floor = segments[-1][0]
            after.evicted[lowest] += cursor.count(lowest, first_seq, held, after.acked)
            after.floor[lowest] = floor
            victims.append((lowest, first_seq))
            need -= chains.blocks(held)
            at += 1
    return victims if need <= 0 else None
