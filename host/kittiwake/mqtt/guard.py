"""The one place where exceptions of callbacks end: paho reads a packet again whose callback raised, for ever."""

from __future__ import annotations

import logging
from collections.abc import Callable

from kittiwake.peers.complaints import Complaints

log = logging.getLogger(__name__)


class CallbackGuard:
    """Calls what may raise, though it should not."""

    def __init__(self) -> None:
        self._complaints = Complaints(log)

    @property
    def errors(self) -> int:
        """Exceptions that ended here."""
        return self._complaints.count

    def call(self, callback: Callable[..., object], *args: object) -> bool:
        """Call it.

        Args:
            callback: what is called; an exception is counted, and logged at a limited rate.
            args: its arguments.

        Returns:
            Whether it raised nothing.
        """
        try:
            callback(*args)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next message is another's
            self._complaints.tell("a message could not be dealt with; this is a bug, please report it", error)
            return False
        return True

    def wrap(self, callback: Callable[..., object]) -> Callable[..., None]:
        """Make a callback that never raises.

        Args:
            callback: as `call` takes it.
        """

        def guarded(*args: object) -> None:
            self.call(callback, *args)

        return guarded
