"""What pages are told of roll-outs, and what people ask of one: pause, go on, abort. Its own process does the work.

Each question opens the file anew, on a thread of its own: a file that comes later is found.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kittiwake.errors import KittiwakeError
from kittiwake.rollout.members import Member, State
from kittiwake.rollout.store import Kept, RolloutStore

# What a page may ask for. To take a roll-out back names a release, whose file the command reads.
ORDERS = {"pause": State.PAUSED, "resume": State.RUNNING, "abort": State.ABORTED}
_DECISIONS = 200


class Rollouts:
    """A file of `kittiwake rollout`.

    Args:
        path: of it; it need not be there.
    """

    def __init__(self, path: Path):
        self._path = path

    def newest(self) -> dict[str, Any]:
        """Give the newest roll-out.

        Raises:
            KittiwakeError: there is none.
        """
        with self._open() as store:
            kept = store.read()
            decisions = store.decisions(kept.id)[-_DECISIONS:]
        plan = kept.plan
        return {
            "id": kept.id,
            "release": plan.release,
            "version": plan.version,
            "state": kept.state.value,
            "wanted": kept.wanted and kept.wanted.value,
            "back": kept.back and kept.back.release,
            "begun": kept.begun_ms,
            "watch_s": plan.watch_s,
            "windows": [f"{start:%H:%M}-{end:%H:%M}" for start, end in plan.windows],
            "limits": asdict(plan.limits),
            "waves": [_wave(kept, number) for number in range(len(plan.waves))],
            "boards": [_board(member) for member in kept.members],
            "decisions": [{"at": d.at_ms, "device": d.device, "text": d.text} for d in reversed(decisions)],
        }

    def order(self, id: int, order: str) -> str:
        """Leave word for a roll-out's process.

        Args:
            id: of the roll-out.
            order: one of ORDERS.

        Returns:
            The state that is asked for.

        Raises:
            ValueError: there is no such order.
            KittiwakeError: there is no such roll-out, or it is over.
        """
        if order not in ORDERS:
            raise ValueError(f"order: there are {', '.join(ORDERS)}")
        with self._open() as store:
            store.order(id, ORDERS[order])
        return ORDERS[order].value

    def _open(self) -> RolloutStore:
        if not self._path.is_file():  # to look makes no file
            raise KittiwakeError(
                f"there is no roll-out in {self._path}",
                "`kittiwake rollout start` begins one; --rollouts names its file",
            )
        return RolloutStore(self._path)


def _wave(kept: Kept, number: int) -> dict[str, Any]:
    names = kept.plan.waves[number]
    phases = Counter(member.phase.value for member in kept.members if member.wave == number)
    # Before the first step nobody has been written down.
    phases["waiting"] += len(names) - phases.total()
    return {
        "size": len(names),
        "may_fail": kept.plan.may_fail(number),
        "phases": {k: n for k, n in phases.items() if n},
    }


def _board(member: Member) -> dict[str, Any]:
    return {
        "device": member.device,
        "wave": member.wave + 1,
        "phase": member.phase.value,
        "since": member.since_ms,
        "why": member.why,
        "before": member.before and asdict(member.before),
        "confirmed": member.confirmed and asdict(member.confirmed),
    }
