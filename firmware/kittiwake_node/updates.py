"""Updates: what a node has of them where its application lies in no slot; elsewhere updating.py is loaded.

Knows the names of slots; small, since every board loads it.
"""

from .link import messages

_SLOTS = ("app-a", "app-b")


class Updates:
    """No updates.

    Attributes:
        restarts: the node is to end in order and the board to start again.
        has_work: the loop need not sleep.
    """

    restarts = False
    has_work = False

    def begin(self):
        """Say what became of the last release; once the node's start is journalled."""

    def step(self, now_ms, is_busy):
        """Do a piece of work, or look how a trial stands.

        Args:
            now_ms: milliseconds since boot.
            is_busy: the loop has samples or input to see to.
        """

    def handle(self, op, body, now_ms):
        """Carry out a command about releases; see link.messages for the arguments.

        Returns:
            (status, body) of the reply. Allocates.
        """
        return messages.REFUSED, b"this application lies in no slot: kittiwake deploy gives it one"

    def close(self):
        """Let go of what is open: an orderly end."""


def make(slot, channels, keeping, note):
    """The updates of a node.

    Args:
        slot: folder that its settings lie in; "" for the root.
        channels: of the node.
        keeping: keeping.Keeping, of its journal.
        note: called as note(text), journals an event.
    """
    if slot not in _SLOTS:
        return Updates()
    from .updating import Updating

    return Updating(slot, channels, keeping, note)
