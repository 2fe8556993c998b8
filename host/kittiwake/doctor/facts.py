"""The shapes of what a board is asked for, between asking and judging. Each can be a Failure instead."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict, final

from kittiwake.target.base import Facts


@final
class Failure(TypedDict):
    """A question that could not be answered: why."""

    error: str


@final
class SystemFacts(Facts):
    """What MicroPython has: heap and flash in bytes, modules and emitters in `has`, classes of `machine`."""

    heap_bytes: int
    has: list[str]
    classes: list[str]
    littlefs: bool
    romfs: bool
    flash_bytes: NotRequired[int]
    flash_free_bytes: NotRequired[int]


@final
class ClockFacts(TypedDict):
    """How far its clock runs from this machine's, in millionths, and how sure that is; None where it has no time."""

    ppm: int
    doubt_ppm: int
    off_s: int | None


@final
class ApplicationFacts(TypedDict):
    """The application that the board starts; `sizes` are the slots', in bytes."""

    slot: str
    version: str
    sizes: dict[str, int]
    unique_id: str
    reset_cause: str


@final
class ConfigurationFacts(TypedDict):
    """The node's refusal, "" for none, and the files that are named and not there."""

    refused: str
    absent: list[str]
    link: str | dict[str, Any]
    watchdog_s: int


@final
class JournalFacts(TypedDict):
    """The journal: its state and why, counts of records by class where they were evicted, and its room in bytes."""

    state: str
    problem: str
    boots: int
    waiting: int
    next_seq: int
    damaged: int
    evicted: list[int]
    used_bytes: int
    limit_bytes: int


class ChannelFacts(TypedDict, total=False):
    """What a channel's source gave; without `name` it is a Failure, and without `count` nothing came of it."""

    error: str
    others: list[int] | None
    name: str
    kind: str | None
    rate_hz: int
    count: int
    low: int
    high: int
    at_ends: int
    overruns: int
    bus_errors: int
    span_ms: int
    in_span: int


@final
class LinkFacts(TypedDict):
    """The node that runs: its name, the kind of its link, and whether that was asked and answered."""

    kind: str
    device: str
    answers: bool


class BoardFacts(TypedDict, total=False):
    """All that was asked; what depends on something that is not there is left out."""

    system: SystemFacts | Failure
    clock: ClockFacts | Failure
    application: ApplicationFacts | Failure
    configuration: ConfigurationFacts | Failure | None
    provisioned: dict[str, Any] | Failure
    journal: JournalFacts | Failure
    channels: list[ChannelFacts | Failure]
    link: LinkFacts | Failure
