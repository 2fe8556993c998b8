"""What pages are told of roll-outs, and what people ask of one. Its own process does the work.

Each question opens the file anew, on a thread of its own: a file that comes later is found.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kittiwake.errors import KittiwakeError
from kittiwake.rollout.members import Back, Member, State
from kittiwake.rollout.returning import back_to
from kittiwake.rollout.store import Kept, RolloutStore

# What a page may ask for; "back" names a release besides.
ORDERS = {"pause": State.PAUSED, "resume": State.RUNNING, "abort": State.ABORTED, "back": State.BACK}
_DECISIONS = 200
_RELEASES = 100  # that a folder is looked through for, the newest
_RELEASE_BYTES = 64 << 20


class Returns:
    """Releases in a folder that boards may be taken back to.

    Args:
        folder: of releases; "" for none.
    """

    def __init__(self, folder: str):
        self._folder = Path(folder) if folder else None
        self._read: dict[str, tuple[tuple[int, int], Back | None]] = {}

    def listed(self) -> list[Back]:
        """List them by name; a file that is damaged, or may not take the place of a later one, is none of them."""
        found: dict[str, tuple[tuple[int, int], Back | None]] = {}
        for path, stamp in self._files():
            kept = self._read.get(path.name)
            found[path.name] = kept if kept is not None and kept[0] == stamp else (stamp, _back_of(path))
        self._read = found
        return [back for _, (_, back) in sorted(found.items()) if back is not None]

    def named(self, release: str) -> Back:
        """Find one by its name, which leads to no file itself.

        Args:
            release: its name.

        Raises:
            ValueError: none of them has it.
        """
        for back in self.listed():
            if back.release == release:
                return back
        raise ValueError("release: none of that name may be taken back to")

    def _files(self) -> list[tuple[Path, tuple[int, int]]]:
        stamped = []
        with contextlib.suppress(OSError):  # a folder or a file that is not there any more
            for path in self._folder.glob("*.kwu") if self._folder else ():
                stat = path.stat()
                if stat.st_size <= _RELEASE_BYTES:
                    stamped.append((path, (stat.st_mtime_ns, stat.st_size)))
        return sorted(stamped, key=lambda each: each[1], reverse=True)[:_RELEASES]


def _back_of(path: Path) -> Back | None:
    try:
        return back_to(path)
    except KittiwakeError:
        return None


class Rollouts:
    """A file of `kittiwake rollout`.

    Args:
        path: of it; it need not be there.
        releases: folder with those that boards may be taken back to; "" for none.
    """

    def __init__(self, path: Path, releases: str = ""):
        self._path, self._returns = path, Returns(releases)

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
            "returns": [back.release for back in self._returns.listed() if back.counter != plan.counter],
            "begun": kept.begun_ms,
            "watch_s": plan.watch_s,
            "windows": [f"{start:%H:%M}-{end:%H:%M}" for start, end in plan.windows],
            "limits": asdict(plan.limits),
            "waves": [_wave(kept, number) for number in range(len(plan.waves))],
            "boards": [_board(member) for member in kept.members],
            "decisions": [{"at": d.at_ms, "device": d.device, "text": d.text} for d in reversed(decisions)],
        }

    def order(self, id: int, order: str, release: str = "") -> str:
        """Leave word for a roll-out's process.

        Args:
            id: of the roll-out.
            order: one of ORDERS.
            release: that boards are taken back to, by "back".

        Returns:
            The state that is asked for.

        Raises:
            ValueError: there is no such order, or no such release in the folder.
            KittiwakeError: there is no such roll-out, or it is over.
        """
        if order not in ORDERS:
            raise ValueError(f"order: there are {', '.join(ORDERS)}")
        back = self._returns.named(release) if order == "back" else None
        with self._open() as store:
            store.order(id, ORDERS[order], back)
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
