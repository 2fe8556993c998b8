"""Requests without a reply: what a gateway repeats to its device. Only a gateway needs it.

It knows numbers and times; how a request becomes a frame is the session's.
"""

from . import messages as m

if False:  # for mypy alone
    from collections.abc import Callable, Sequence


class PendingRequest:
    """One request.

    Attributes:
        number: of it in its session.
        op: operation, see messages.
        body: bytes, or a function without arguments that gives them.
        sent_ms: when it was sent last, None before.
    """

    def __init__(self, number: int, op: int, body: "bytes | Callable[[], bytes]") -> None:
        self.number = number
        self.op = op
        self.body = body
        self.sent_ms: int | None = None


class PendingRequests:
    """The requests of one session, the oldest first."""

    def __init__(self) -> None:
        self._number = 0
        self._requests: list[PendingRequest] = []

    def add(self, op: int, body: "bytes | Callable[[], bytes]") -> int:
        """Queue a request.

        Args:
            op: operation, see messages.
            body: bytes, or a function without arguments that gives them each time it is sent.

        Returns:
            Its number: they rise by one, over sessions as well.
        """
        self._number += 1
        self._requests.append(PendingRequest(self._number, op, body))
        return self._number

    def remove(self, number: int) -> bool:
        """Forget a request.

        Args:
            number: of it.

        Returns:
            Whether it was there.
        """
        count = len(self._requests)
        self._requests = [request for request in self._requests if request.number != number]
        return len(self._requests) < count

    def clear(self) -> None:
        """Forget all of them: another session begins."""
        self._requests = []

    def due(self) -> "Sequence[PendingRequest]":
        """Those that may be sent.

        The device remembers so many replies and no more: a request further ahead could make it do an old one twice.
        """
        if not self._requests:
            return ()
        end = self._requests[0].number + m.REQUESTS_IN_FLIGHT
        return [request for request in self._requests if request.number < end]
