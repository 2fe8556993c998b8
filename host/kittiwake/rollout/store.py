"""Roll-outs in a file: plans, where each board stands, and every decision with its figures. SQLite.

A step of the engine is one transaction: what was decided, and what became of the boards by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import time
from pathlib import Path

from kittiwake.errors import UsageError
from kittiwake.rollout.gates import Measures
from kittiwake.rollout.members import Back, Decision, Member, Phase, State
from kittiwake.rollout.plan import Limits, Plan
from kittiwake.sqlite_file import SqliteFile

# "KWro": says that the file is one of ours.
APPLICATION_ID = 0x4B57726F
_VERSION = 1
_TABLES = """
CREATE TABLE rollouts (
    id INTEGER PRIMARY KEY, release TEXT NOT NULL, plan TEXT NOT NULL, state TEXT NOT NULL, back TEXT, wanted TEXT,
    begun_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE members (
    rollout_id INTEGER NOT NULL REFERENCES rollouts, device TEXT NOT NULL, wave INTEGER NOT NULL, phase TEXT NOT NULL,
    member TEXT NOT NULL, PRIMARY KEY (rollout_id, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE decisions (
    rollout_id INTEGER NOT NULL REFERENCES rollouts, at_ms INTEGER NOT NULL, device TEXT NOT NULL, text TEXT NOT NULL,
    phase TEXT
) STRICT;
CREATE INDEX decisions_of_rollout ON decisions (rollout_id);
"""


@dataclass(frozen=True)
class Kept:
    """A roll-out as it was written last.

    Args:
        id: of it.
        plan: what is to be done.
        state: of the whole.
        back: what its boards are to run, where it is taken back, or is to be.
        wanted: the state that somebody has asked for and that its process has not taken up yet; None for none.
        members: the boards.
        begun_ms: UTC in milliseconds since 1970.
    """

    id: int
    plan: Plan
    state: State
    back: Back | None
    wanted: State | None
    members: list[Member]
    begun_ms: int


class RolloutStore(SqliteFile):
    """The file, as a context manager.

    Args:
        path: of the file; made when it is not there.

    Raises:
        KittiwakeError: it cannot be opened, or is no file of roll-outs of this version.
    """

    def __init__(self, path: Path):
        super().__init__(path, APPLICATION_ID, _VERSION, _TABLES, "roll-outs", "--rollouts")

    def begin(self, plan: Plan, now_ms: int) -> Kept:
        """Keep a new roll-out.

        Args:
            plan: what is to be done.
            now_ms: UTC in milliseconds since 1970.

        Raises:
            UsageError: another one is under way.
        """
        under_way = (State.RUNNING.value, State.PAUSED.value, State.HALTED.value, State.BACK.value)
        with self.transaction():
            marks = ",".join("?" * len(under_way))
            row = self.db.execute(f"SELECT id, release FROM rollouts WHERE state IN ({marks})", under_way).fetchone()
            if row is not None:
                raise UsageError(f"roll-out {row[0]} of {row[1]} is under way", "`kittiwake rollout abort` ends it")
            cursor = self.db.execute(
                "INSERT INTO rollouts (release, plan, state, begun_ms) VALUES (?, ?, ?, ?)",
                (plan.release, _plan_text(plan), State.RUNNING.value, now_ms),
            )
        return self.read(cursor.lastrowid)

    def read(self, id: int | None = None) -> Kept:
        """Read a roll-out.

        Args:
            id: of it; None for the newest.

        Raises:
            UsageError: there is none.
        """
        row = self.db.execute(
            "SELECT id, plan, state, back, wanted, begun_ms FROM rollouts WHERE id = ? OR ? IS NULL"
            " ORDER BY id DESC LIMIT 1",
            (id, id),
        ).fetchone()
        if row is None:
            raise UsageError("there is no such roll-out", "`kittiwake rollout start` begins one")
        found, plan, state, back, wanted, begun_ms = row
        texts = self.db.execute("SELECT member FROM members WHERE rollout_id = ? ORDER BY wave, device", (found,))
        return Kept(
            found,
            _plan_of(plan),
            State(state),
            None if back is None else Back(**json.loads(back)),
            None if wanted is None else State(wanted),
            [_member_of(text) for (text,) in texts],
            begun_ms,
        )

    def write(self, id: int, state: State, members: Iterable[Member], decisions: Iterable[Decision]) -> None:
        """Write what a step has come to, all or nothing.

        Args:
            id: of the roll-out.
            state: of the whole.
            members: those that have changed.
            decisions: that were made.
        """
        with self.transaction():
            self.db.execute("UPDATE rollouts SET state = ? WHERE id = ?", (state.value, id))
            self.db.executemany(
                "INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?, ?)",
                [(id, m.device, m.wave, m.phase.value, json.dumps(_member_fields(m))) for m in members],
            )
            self.db.executemany(
                "INSERT INTO decisions VALUES (?, ?, ?, ?, ?)",
                [(id, d.at_ms, d.device, d.text, d.phase and d.phase.value) for d in decisions],
            )

    def ask(self, id: int, state: State | None, back: Back | None = None) -> None:
        """Leave word for the roll-out's process, or take the word back.

        Args:
            id: of the roll-out.
            state: that it is to have; None for none.
            back: what its boards are to run, for State.BACK.
        """
        with self.transaction():
            self.db.execute("UPDATE rollouts SET wanted = ? WHERE id = ?", (state and state.value, id))
            if back is not None:
                self.db.execute("UPDATE rollouts SET back = ? WHERE id = ?", (json.dumps(asdict(back)), id))

    def order(self, id: int | None, state: State, back: Back | None = None) -> int:
        """Leave word as a person does: of a roll-out that is over, only to take it back.

        Args:
            id: of the roll-out; None for the newest.
            state: that it is to have.
            back: what its boards are to run, for State.BACK.

        Returns:
            The roll-out's id.

        Raises:
            UsageError: there is none, or it is over.
        """
        kept = self.read(id)
        if kept.state in (State.DONE, State.ABORTED) and state is not State.BACK:
            raise UsageError(f"roll-out {kept.id} is {kept.state.value}", "`kittiwake rollout start` begins another")
        self.ask(kept.id, state, back)
        return kept.id

    def decisions(self, id: int) -> list[Decision]:
        """Read every decision of a roll-out, the oldest first.

        Args:
            id: of it.
        """
        rows = self.db.execute(
            "SELECT at_ms, device, text, phase FROM decisions WHERE rollout_id = ? ORDER BY rowid", (id,)
        )
        return [Decision(at_ms, device, text, phase and Phase(phase)) for at_ms, device, text, phase in rows]


def _plan_text(plan: Plan) -> str:
    fields = asdict(plan)
    fields["windows"] = [[start.isoformat(), end.isoformat()] for start, end in plan.windows]
    return json.dumps(fields)


def _plan_of(text: str) -> Plan:
    fields = json.loads(text)
    fields["waves"] = tuple(tuple(wave) for wave in fields["waves"])
    fields["windows"] = tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in fields["windows"])
    fields["limits"] = Limits(**fields["limits"])
    return Plan(**fields)


def _member_fields(member: Member) -> dict[str, object]:
    return asdict(member) | {"phase": member.phase.value}


def _member_of(text: str) -> Member:
    fields = json.loads(text)
    fields["phase"] = Phase(fields["phase"])
    for name in ("before", "confirmed"):
        fields[name] = None if fields[name] is None else Measures(**fields[name])
    return Member(**fields)
