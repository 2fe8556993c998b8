"""Publications that the broker has not confirmed, by message id, and who is told of each. It opens nothing."""

from __future__ import annotations

from kittiwake.mqtt.callbacks import Receipt


class InFlight:
    """What is in flight on one connection.

    Attributes:
        progress_s: seconds, of the caller's clock, at which a confirmation was last heard or awaited anew.
    """

    def __init__(self) -> None:
        self._receipts: dict[int, Receipt | None] = {}
        self.progress_s = 0.0

    def __len__(self) -> int:
        """Count the publications that are not confirmed."""
        return len(self._receipts)

    def add(self, message_id: int, receipt: Receipt | None, now_s: float) -> None:
        """Take a publication that was handed to paho.

        Args:
            message_id: as paho numbers it.
            receipt: who is told, None for nobody.
            now_s: seconds that never go back.
        """
        if not self._receipts:
            self.progress_s = now_s
        self._receipts[message_id] = receipt

    def settle(self, message_id: int, refusal: str, now_s: float) -> None:
        """Take the broker's word on a publication, and pass it on.

        Args:
            message_id: as paho numbers it.
            refusal: why the broker does not take it, "" where it does.
            now_s: seconds that never go back.
        """
        receipt = self._receipts.pop(message_id, None)
        self.progress_s = now_s
        if receipt is None:
            return
        if refusal:
            receipt.refused(refusal)
        else:
            receipt.confirmed()

    def is_stuck(self, now_s: float, limit_s: float) -> bool:
        """Whether something is in flight, and nothing was confirmed for longer than `limit_s` seconds."""
        return bool(self._receipts) and now_s - self.progress_s > limit_s

    def take_all(self) -> dict[int, Receipt | None]:
        """Hand out every receipt, by message id; nothing is in flight here afterwards."""
        receipts, self._receipts = self._receipts, {}
        return receipts
