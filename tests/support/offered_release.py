"""A release offered to a board over its link by a gateway without a broker: piece by piece, whatever comes between."""

import struct
import time

from kittiwake_node.link import messages as m

IDLE, BUSY, WANTS, HERE, REFUSED, ON_TRIAL, BACK = range(7)
_REPLY = "<BHIIIB"
_PIECE_BYTES = 512


class Offered:
    """One release and how a board stands with it.

    Args:
        gateway: tests.support.hil.Gateway to the board.
        stored: kittiwake.supply.shelf.Stored.

    Attributes:
        state: that the board named last; None before.
        running: counter of the release that runs there.
        text: that came with the state.
        sent_bytes: in pieces.
    """

    def __init__(self, gateway, stored):
        self._gateway, self._stored = gateway, stored
        self._asked, self._opened = None, gateway.opened
        self.state = self.running = None
        self.text = ""
        self.sent_bytes = 0

    @property
    def has_proved_itself(self):
        """Whether the release runs, and is no longer on trial."""
        return self.state != ON_TRIAL and self.running == self._stored.head.counter

    def turn(self):
        """Exchange what there is, and ask for what comes next."""
        gateway = self._gateway
        gateway.turn()
        if gateway.opened != self._opened:
            # What ran before may have been taken back since.
            self._opened, self._asked, self.state, self.running = gateway.opened, None, None, None
        if not gateway.session.is_open:
            return
        if self._asked is None:
            self._ask(m.OP_UPDATE_PROGRESS)
        elif self._asked in gateway.answers:
            status, body = gateway.answers.pop(self._asked)
            assert status == m.OK, body
            self._go_on(struct.unpack_from(_REPLY, body), body[struct.calcsize(_REPLY) :].decode())

    def until(self, condition, limit_s):
        """Turn until something holds; returns whether it does."""
        deadline_s = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() >= deadline_s:
                return False
            self.turn()
        return True

    def _go_on(self, reply, text):
        self.state, entry, offset, counter, self.running, build = reply
        self.text = text
        is_ours = counter == self._stored.head.counter
        if self.state == WANTS and is_ours:
            piece = self._stored.piece(build, entry, offset, _PIECE_BYTES)
            self.sent_bytes += len(piece)
            self._ask(m.OP_UPDATE_PIECE, struct.pack("<HI", entry, offset) + piece)
        elif (
            self.running == self._stored.head.counter
            or self.state == ON_TRIAL
            or self.state in (BUSY, HERE)
            and is_ours
        ):
            self._ask(m.OP_UPDATE_PROGRESS)
        else:
            self._ask(m.OP_UPDATE_OFFER, self._stored.raw_head + self._stored.signatures[0])

    def _ask(self, op, body=b""):
        self._asked = self._gateway.session.request(op, body)
