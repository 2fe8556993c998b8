"""What a roll-out knows of its boards, and the words that it decides in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kittiwake.rollout.gates import Measures


class State(Enum):
    """Of a roll-out."""

    RUNNING = "running"
    PAUSED = "paused"
    HALTED = "halted"
    """A wave failed: nothing is offered until somebody decides."""
    BACK = "taken back"
    """Its boards are told to take an older release."""
    ABORTED = "aborted"
    DONE = "done"


class Phase(Enum):
    """Of a board in it."""

    WAITING = "waiting"
    OFFERED = "offered"
    WATCHED = "watched"
    PASSED = "passed"
    FAILED = "failed"
    RETURNED = "returned"
    """It runs the older release."""


@dataclass(frozen=True)
class Back:
    """What boards are to run again when a roll-out is taken back.

    Args:
        release: its name; it has to be signed as one that may replace a later one.
        counter: of it.
        sha256: of its file, in hexadecimal.
    """

    release: str
    counter: int
    sha256: str = ""


@dataclass
class Member:
    """A board in the roll-out.

    Attributes:
        device: its id.
        wave: number of its wave.
        phase: where it is.
        since_ms: when it came there, UTC.
        present_ms: for how long it has been there while it was offered: a board that is away is late for nothing.
        seen_ms: until when `present_ms` counts; None while it is away.
        asked_ms: when it was last told; None for never.
        before, confirmed: what it reported with the old release, and when the new one had proved itself.
        why: it failed.
        is_forgiven: somebody went on although it had failed.
    """

    device: str
    wave: int
    phase: Phase = Phase.WAITING
    since_ms: int = 0
    present_ms: int = 0
    seen_ms: int | None = None
    asked_ms: int | None = None
    before: Measures | None = None
    confirmed: Measures | None = None
    why: str = ""
    is_forgiven: bool = False


@dataclass(frozen=True)
class Sighting:
    """What a board is now.

    Args:
        is_there: it was heard, and has not left since.
        counter: of the release that it runs, 0 for none.
        is_proved: that release is confirmed.
        problem: why it refuses or took back the release offered; "" for neither.
        measures: of its newest health record with the application that it runs; None before there is one.
    """

    is_there: bool
    counter: int = 0
    is_proved: bool = False
    problem: str = ""
    measures: Measures | None = None


class Action(Enum):
    """What a board is told."""

    OFFER = "offer"
    RETURN = "return"


@dataclass(frozen=True)
class Decision:
    """What was decided, when and why.

    Args:
        at_ms: UTC in milliseconds since 1970.
        device: whose; "" for the roll-out's.
        text: in words, with its figures.
        phase: that the board came into; None for the roll-out's.
    """

    at_ms: int
    device: str
    text: str
    phase: Phase | None = None
