"""What the MQTT client tells, and whom. It knows nothing of how messages travel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Receipt(Protocol):
    """Who is told what became of one publication. Called on the event loop."""

    def confirmed(self) -> None:
        """The broker has it."""

    def refused(self, reason: str) -> None:
        """The broker has answered that it does not take it (MQTT 5 says so).

        Args:
            reason: in the broker's words.
        """


@dataclass(frozen=True)
class Callbacks:
    """What the MQTT client calls, on the event loop.

    Args:
        on_connected: after every successful connect.
        on_disconnected: after every loss.
        on_message: on_message(topic, payload, handle): a message of a subscription; `acknowledge(handle)` when done.
        on_subscribed: on_subscribed(refused) when the broker has answered a subscription: filter -> why it is refused.
        on_room: the broker confirmed something and there is room in flight again.
    """

    on_connected: Callable[[], None] = lambda: None
    on_disconnected: Callable[[], None] = lambda: None
    on_message: Callable[[str, bytes, int], None] = lambda topic, payload, handle: None
    on_subscribed: Callable[[dict[str, str]], None] = lambda refused: None
    on_room: Callable[[], None] = lambda: None
