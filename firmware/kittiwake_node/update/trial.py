"""Trial: whether an application that was just installed does its work, within its time.

Pure: it looks at channels and a journal that come in as arguments.
"""

if False:  # for mypy alone
    from collections.abc import Sequence

    from kittiwake_types import SentJournal

    from ..channel import BaseChannel


class Trial:
    """One trial.

    Args:
        trial_s: seconds that it has.
        channels: of the node: each must have given samples.
        journal: of the node: a record of this start must have been acknowledged.
        problem: why records are not kept where they should be; "" when they are.
    """

    def __init__(self, trial_s: int, channels: "Sequence[BaseChannel]", journal: "SentJournal", problem: str) -> None:
        self._trial_ms = 1000 * trial_s
        self._channels = channels
        self._journal = journal
        self._first_seq = journal.next_seq
        self._problem = problem

    def missing(self, now_ms: int) -> str:
        """What it has still to do, in words; "" when it has proved itself. Allocates.

        Args:
            now_ms: milliseconds since the start.
        """
        if now_ms < self._trial_ms // 10:
            return "it ended at once"  # what breaks at once must not have proved itself before
        for channel in self._channels:
            if not channel.index:
                return "channel %d has given no sample" % channel.number
        if self._problem:
            return "no journal: " + self._problem
        if self._journal.acked <= self._first_seq:
            return "no record of it was acknowledged"
        return ""

    def is_over(self, now_ms: int) -> bool:
        """Whether its time is up.

        Args:
            now_ms: milliseconds since the start.
        """
        return now_ms >= self._trial_ms
