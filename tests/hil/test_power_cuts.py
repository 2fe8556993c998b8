"""Power cuts at random instants on boards whose flash outlives them: nothing committed is lost, nothing is invented.

The cut is the emulator's reset, between any two instructions. The flash is slowed down so that most cuts fall into a
program or an erase; the flash itself counts how many did. KITTIWAKE_SOAK=1 makes 500 cuts a board, CI a tenth. Two
judges look at each: the power cuts' own (tests/powercut/oracle.py), and one that forms every record's bytes anew.
"""

import random
import time
from collections import Counter

import pytest

from kittiwake.target import open_target
from tests.support import cut_tally, journal_oracle, told
from tests.support.hil import SOAK, WAIT_S, blank_journal
from tests.support.waiting import until

CUTS = 500 if SOAK else 50
# The two mps2 differ in their cores alone, of which the journal uses nothing.
BOARDS = ("qemu:*",) if SOAK else ("qemu:mps2-an385", "qemu:netduino2", "qemu:virt", "qemu:xtensa")
# Turns of an empty loop for each piece of 128 bytes; 400 are about 15,000 instructions. Small blocks have few pieces.
SPIN, SPIN_SMALL = 400, 1600
# A record appended and committed is two lines or three; the cut comes after a random number of them.
MOST_LINES = 40

# Lists what the journal holds, then works until the power goes. Every line is out before the next step begins.
_WORKER = """
import binascii, kwflash
from kittiwake_node.link import record
from kittiwake_node.io import parts
from kittiwake_node.store.journal import TAIL_BYTES, Journal

def listing(journal):
    at = journal.acked
    while True:
        raw, at = journal.read(at, 512)
        if not raw:
            break
        print("R", binascii.hexlify(raw).decode())
    stats = kwflash.stats()
    torn = stats["torn_programs"] + stats["torn_erases"]
    counts = sum(journal.evicted), journal.damaged, torn, journal.state.boot
    print("E", journal.id, journal.acked, journal.next_seq, *counts)

def work(journal, number, x):
    boot = journal.state.boot
    # Acknowledged often enough that even the smallest flash has no need to evict.
    mask, acked_every = (127, 12) if journal.limit_bytes > 100000 else (31, 4)
    while True:
        x = (x * 1103515245 + 12345) & 0x3FFFFFFF
        draw = x >> 12
        cls = (2, 1, 2, 0)[draw & 3]
        size = draw >> 2 & mask
        print("A", number, cls, size, boot)
        body = bytes([(31 * number + 7 * i) & 255 for i in range(size)])
        journal.append(cls, record.draft(9, 0, cls, boot, number, 0, 1, body))
        if cls == 2 or draw >> 9 & 3 == 0:
            journal.commit(cls)
        if not journal.pending_bytes(cls):  # committed here, or by append, which does so when a batch is full
            print("C", cls)
        if draw >> 11 & 1:
            journal.tidy()
        number += 1
        if number % acked_every == 0:
            print("K", journal.next_seq)
            journal.ack(journal.next_seq)

journal = Journal(parts.make_storage({storage!r})[0], lambda: {new_id}, tail_bytes=TAIL_BYTES)
print()
listing(journal)
kwflash.journal.spin = {spin} if journal.limit_bytes > 100000 else {spin_small}
work(journal, {number}, {seed})
"""


class Console:
    """What a board says while code runs on it that does not end."""

    def __init__(self, board, code):
        board.exec("")  # at the raw prompt
        self._board = board
        self._text = ""
        board._repl.submit(code)
        self._line = board._machine.console
        self._take(bytes(board._repl._input))

    def _take(self, data):
        self._text += data.decode(errors="replace").replace("\r\n", "\n")

    def lines(self):
        """Whole lines so far."""
        return self._text[: self._text.rfind("\n") + 1].splitlines()

    def wait_for(self, start):
        """Listen until a line begins so; returns the lines before it, and its words."""

        def found():
            self._take(self._line.read(0.01))
            lines = self.lines()
            return next(((lines[:n], line.split()) for n, line in enumerate(lines) if line.startswith(start)), None)

        return until(found, lambda: f"a line {start!r}: {self._text[-2000:]}", WAIT_S, pause_s=0)

    def listen(self, count):
        """Listen until so many lines more were said: the work goes on, however busy this machine is."""
        known = len(self.lines())

        def heard():
            self._take(self._line.read(0.001))
            return len(self.lines()) >= known + count

        until(heard, lambda: f"{count} lines: {self._text[-2000:]}", WAIT_S, pause_s=0)

    def last_words(self):
        """Stop the machine and take what is still on the way."""
        # Regression: what came more than 30 ms late, on a busy machine, was taken for never said, and so for invented.
        self._board.qmp("stop")
        self._take(self._line.read_all())
        return self.lines()


@pytest.mark.timeout(3600 if SOAK else 240)
@pytest.mark.board(*BOARDS)
def test_power_cuts_at_random_instants_lose_nothing_committed(target_name):
    chance = random.Random(f"{target_name} power cuts")
    oracle, judge = journal_oracle.JournalOracle(), told.Told()
    number = torn = 0
    spins = {"spin": SPIN, "spin_small": SPIN_SMALL}
    # Under a counted clock a host that is held up does not make the board drop what it says.
    with open_target(target_name, count=True) as board:
        blank_journal(board)
        for cut in range(CUTS + 1):
            settings = {"storage": board.node_overrides()["storage"], "new_id": cut + 1}
            worker = _WORKER.format(number=number, seed=chance.randrange(1 << 30), **spins, **settings)
            console = Console(board, worker)
            listing, words = console.wait_for("E ")
            journal_id, acked, next_seq, evicted, damaged, torn, boot = map(int, words[1:])
            raw = b"".join(bytes.fromhex(line[2:]) for line in listing if line.startswith("R "))
            faults = judge.judge(told.Listing(journal_id, acked, next_seq, evicted, damaged, boot, raw))
            cut_tally.add(target_name, min(cut, 1), Counter(kind for kind, _ in faults))
            assert not faults
            oracle.check(journal_id, acked, next_seq, evicted, damaged, list(journal_oracle.split(raw)))
            if cut == CUTS:
                break
            console.listen(chance.randrange(MOST_LINES))
            time.sleep(chance.uniform(0.0, 0.05))  # anywhere between two lines
            said = console.last_words()[len(listing) + 1 :]
            board.cut_power()
            oracle.hear(said)
            judge.hear(said)
            number += 1000
            board.start()
    print(f"{target_name}: {CUTS} cuts, {torn} within an operation of the flash, {oracle.committed} records committed")
    assert torn >= CUTS / 2, f"{torn} of {CUTS} cuts fell into a program or an erase"
    assert oracle.committed > 3 * CUTS
    assert oracle.listed > CUTS


def test_journal_oracle_tells_loss_invention_alteration_and_disorder():
    """Shows that the test above can fail."""

    def heard():
        oracle = journal_oracle.JournalOracle()
        oracle.hear(["A 0 2 5 1", "C 2", "A 1 2 5 1", "C 2", "A 2 1 5 1", "A 3 1 5 1"])
        return oracle

    def record(number, seq, cls=2, size=5):
        body = journal_oracle.payload(number, size)
        return journal_oracle.wire.record(journal_oracle.TYPE, 0, cls, 1, seq, 1, number, 0, body)

    good = [record(0, 0), record(1, 1)]
    heard().check(7, 0, 2, 0, 0, good)
    heard().check(7, 0, 3, 0, 0, [*good, record(2, 2, cls=1)])
    for records, next_seq, losses in (
        ([good[0]], 2, 0),  # lost
        ([*good, record(9, 2)], 3, 0),  # invented
        ([good[0], good[1][:-9] + b"\x00" + good[1][-8:]], 2, 0),  # altered
        ([good[1], good[0]], 2, 0),  # out of order
        ([*good, record(3, 2, cls=1)], 3, 0),  # an earlier one is missing
        (good, 1, 0),  # beyond the end
        (good, 2, 1),  # admitted
    ):
        with pytest.raises(AssertionError):
            heard().check(7, 0, next_seq, losses, 0, records)


def test_power_cuts_oracle_over_what_a_board_told_finds_each_kind_of_fault():
    """Shows that the other judge can."""

    def judged(numbers, next_seq=3, boot=2, acked=0):
        judge = told.Told()
        judge.hear(["A 0 2 5 1", "C 2", "A 1 1 5 1", "A 2 2 5 1", "C 2", "C 1", "A 3 2 5 1"])
        raw = b""
        for seq, cls, number in numbers:
            body = journal_oracle.payload(number, 5)
            raw += journal_oracle.wire.record(9, 0, cls, 1, seq, 1, number, 0, body)
        return {kind for kind, _ in judge.judge(told.Listing(7, acked, next_seq, 0, 0, boot, raw))}

    good = [(0, 2, 0), (1, 2, 2), (2, 1, 1)]  # sequence number, class, record number: an alert overtook a summary
    assert judged(good) == set()
    assert judged([*good, (3, 2, 3)], 4) == set()
    assert judged(good[1:]) == {"lost"}
    assert judged([*good, (3, 2, 9)], 4) == {"invented"}
    assert judged([(0, 2, 5), *good[1:]]) == {"altered"}
    assert judged([good[1], good[0], good[2]]) == {"reordered"}
    assert judged(good, 2) == judged(good, boot=1) == {"reused"}
    assert judged(good, acked=1) == {"invented"}
