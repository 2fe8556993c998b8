"""How far a flashing run is, and what is left behind when it ends there.

Knows stages and percentages; not tools.
"""

from __future__ import annotations

from collections.abc import Callable

_STEP = 10

Say = Callable[[str], None]


class Progress:
    """The stage that a run is in, told to the user.

    Args:
        say: is given a line for each stage and each tenth.
        keep: files and journal are left alone.

    Attributes:
        is_begun: whether something on the board was changed already.
        percent: of the stage.
    """

    def __init__(self, say: Say, keep: bool = False):
        self._say = say
        self._keep = keep
        self._stage = "connecting"
        self._printed_tenths = 0
        self.is_begun = False
        self.percent = 0

    def enter(self, stage: str, changes: bool = False) -> None:
        """Begin a stage.

        Args:
            stage: a participle, such as "erasing".
            changes: whether the board is not what it was from here on.
        """
        self._stage, self.percent, self._printed_tenths = stage, 0, 0
        self.is_begun = self.is_begun or changes
        self._say(f"{stage} …")

    def reach(self, percent: float) -> None:
        """Tell how far the stage is; said for each tenth."""
        self.percent = int(percent)
        if self.percent // _STEP > self._printed_tenths:
            self._printed_tenths = self.percent // _STEP
            self._say(f"{self._stage} {self._printed_tenths * _STEP} %")

    @property
    def where(self) -> str:
        """Where the run is, for a message: "while writing, at 40 %"."""
        return f"while {self._stage}" + (f", at {self.percent} %" if self.percent else "")

    @property
    def left(self) -> str:
        """What the run leaves behind when it ends here."""
        if not self.is_begun:
            return "nothing on the board was changed"
        files = "were left alone" if self._keep else "are gone"
        return f"the board holds no whole MicroPython now, and its files and journal {files}"
