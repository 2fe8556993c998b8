"""What goes between a device's link and the rest of the bridge: messages on their way, counts, and who is told.

It knows no port and no broker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kittiwake.bridge import publisher
from kittiwake.bridge.channels import Channel

if TYPE_CHECKING:
    from kittiwake.bridge.device import DeviceLink


class Sink(Protocol):
    """Where messages go: takes them while it has room, and tells their token when they are safe there."""

    has_room: bool

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, token: object) -> None:
        """Take a message; token.confirmed() or token.refused(reason) follows."""


@dataclass
class Counts:
    """What happened on one device's link since the bridge started."""

    records: int = 0
    opaque: int = 0
    published: int = 0
    published_bytes: int = 0
    acked: int = 0
    refused: int = 0
    repeats: int = 0
    ports_lost: int = 0
    sessions: int = 0
    received_bytes: int = 0


@dataclass(frozen=True)
class Hooks:
    """What a link tells.

    Args:
        on_status: on_status(link, is_online) when that changes.
        on_text: on_text(link, line) with console text from the device.
        on_layout: on_layout(link, channels) when records come under a channel description not seen in this session.
        on_answer: on_answer(link, request, status, body) to a command.
        on_opened: on_opened(link) when a session is open; commands may be sent.
        on_message: on_message(link, record, publication) for every new record.
        on_backlog: on_backlog(link): it has messages that wait for room.
    """

    on_status: Callable[[DeviceLink, bool], None] = lambda link, is_online: None
    on_text: Callable[[DeviceLink, str], None] = lambda link, line: None
    on_layout: Callable[[DeviceLink, list[Channel]], None] = lambda link, channels: None
    on_answer: Callable[[DeviceLink, int, int, bytes], None] = lambda link, request, status, body: None
    on_opened: Callable[[DeviceLink], None] = lambda link: None
    on_message: Callable[[DeviceLink, object, publisher.Publication], None] = lambda link, record, message: None
    on_backlog: Callable[[DeviceLink], None] = lambda link: None


class Delivery:
    """One record's message on its way, None until it is formed; the sink's token."""

    __slots__ = ("_link", "epoch", "seq", "message")

    def __init__(self, link: DeviceLink, epoch: int, seq: int, message: publisher.Publication | None):
        self._link = link
        self.epoch = epoch
        self.seq = seq
        self.message = message

    def confirmed(self) -> None:
        """The sink has it."""
        self._link.on_confirmed(self)

    def refused(self, reason: str) -> None:
        """The sink does not take it."""
        self._link.on_refused(self, reason)
