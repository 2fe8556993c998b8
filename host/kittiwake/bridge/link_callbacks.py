"""What a device's link tells its bridge. It knows no link's workings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kittiwake.observe.steps import Steps
from kittiwake.publish.channel_description import Channel

Link = TypeVar("Link")


@dataclass(frozen=True)
class Callbacks(Generic[Link]):
    """What a link tells.

    Args:
        on_status: on_status(link, is_online) when that changes.
        on_text: on_text(link, line) with console text from the device.
        on_described: on_described(link, channels) when records come under a channel description not seen before.
        on_reply: on_reply(link, request, status, body) to a request.
        on_opened: on_opened(link) when a session is open; requests may be sent.
        on_backlog: on_backlog(link): it has publications that wait for room.
        admit: admit(link, device) says why a device of that name may not speak here, or "".
        steps: who is told of records' steps; None for nobody.
    """

    on_status: Callable[[Link, bool], None] = lambda link, is_online: None
    on_text: Callable[[Link, str], None] = lambda link, line: None
    on_described: Callable[[Link, list[Channel]], None] = lambda link, channels: None
    on_reply: Callable[[Link, int, int, bytes], None] = lambda link, request, status, body: None
    on_opened: Callable[[Link], None] = lambda link: None
    on_backlog: Callable[[Link], None] = lambda link: None
    admit: Callable[[Link, str], str] = lambda link, device: ""
    steps: Steps | None = None
