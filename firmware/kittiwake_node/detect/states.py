"""A channel whose samples a network takes for a machine's state: a record when it changes, and the action on some.

All that a sensor's channel has, it has, too. It knows no journal and no link, and no clock but the one it is given.
"""

from ..link import machine_state, record
from .channel import Channel

if False:  # for mypy alone
    from kittiwake_types import ChannelOwner, Clock, Detector, Settings, Source

    from .clip import Clip
    from .snapshot import Snapshots
    from .state_judge import StateJudge
    from .summary import Summary


class States(Channel):
    """A channel of samples with a network.

    Args:
        number, config, source, summary, clip, detectors, snapshots, block, owner: as Channel's.
        judge: detect.state_judge.StateJudge.
        clock: has us() and since_us(earlier).
    """

    def __init__(
        self,
        number: int,
        config: "Settings",
        source: "Source",
        summary: "Summary",
        clip: "Clip",
        detectors: "list[Detector]",
        snapshots: "Snapshots | None",
        block: int,
        owner: "ChannelOwner",
        judge: "StateJudge",
        clock: "Clock",
    ) -> None:
        # What is taken at once must leave the network's next block unfinished, as the one before it may be under way.
        size = max(1, min(block, judge.block - 1))
        Channel.__init__(self, number, config, source, summary, clip, detectors, snapshots, size, owner)
        self.judge = judge
        self._clock = clock
        self._acting = config["states"]["act"]
        self._slice_us = config["states"]["slice_us"]

    def step(self) -> int:
        """Take one block from the source, or let the network work for a slice. Returns whether there was work."""
        judge = self.judge
        if judge.pending:
            self._work(self._slice_us)
            return 1
        count = Channel.step(self)
        at = 0
        while at < count:
            at = judge.feed(self._buf, at, count)
        while self.ended and judge.pending:
            self._work(self._slice_us)
        return count

    def _work(self, slice_us: int) -> None:
        judge, began_us = self.judge, self._clock.us()
        while judge.pending:
            if judge.step():
                self._tell()
            if self._clock.since_us(began_us) >= slice_us:
                return

    def _tell(self) -> None:
        judge = self.judge
        if judge.name in self._acting:
            self._on_alert(self.source, judge.index - 1)
        body = machine_state.pack_state(judge.name, judge.previous, judge.score, judge.index, judge.lasted)
        self._emit(record.STATE, self.number, record.ALERT, self.source.time_ms(judge.index - 1), body)
