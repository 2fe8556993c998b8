"""One wake word: the sliding mean of a network's outputs, its cutoff, and silence after a detection. Integers only.

Must not know how the network runs or where features come from. The constructor allocates; `take` does not.
"""

if False:  # for mypy alone
    from kittiwake_types import Network

    from .note import Note


class Keyword:
    """The decision behind one model.

    The mean of the last `window` outputs is compared as sums: the word is heard when their sum is above `limit`, and
    never before `window` outputs. Source: pymicro_wakeword's MicroWakeWord.process_streaming, to which the refractory
    time is added.

    Args:
        note: speech.note.Note.
        model: network.Network of the same plan, or the like.
        refractory_ms: after a detection the word is not heard again for this long.

    Attributes:
        name: of the word.
        note, model: as given.
        value: newest output, 0 to 255.
        sum: of the window's outputs; 0 while there are fewer than `window`.
        peak: largest sum since the last reset.
        above: whether the newest sum is above the limit.
        heard: whether the newest output completed a detection.
        detections: since the start.
        output: bytearray that the model writes.
    """

    def __init__(self, note: "Note", model: "Network", refractory_ms: int) -> None:
        self.name = note.name
        self.note = note
        self.model = model
        self.output = bytearray(model.header.output_bytes)
        self.detections = 0
        # Rounded up: silence is never shorter than was asked.
        self._refractory = -(-refractory_ms // (note.stride * note.step_ms))
        self._ring = bytearray(note.window)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard, the model's state as well."""
        self.model.reset()
        for i in range(len(self._ring)):
            self._ring[i] = 0
        self._at = self._count = self._running = self._silent = 0
        self.value = self.sum = self.peak = 0
        self.above = self.heard = False

    def take(self) -> bool:
        """Take the output that the model wrote. Returns `heard`. Does not allocate."""
        value = self.output[0] ^ self.note.flip
        ring = self._ring
        self._running += value - ring[self._at]
        ring[self._at] = value
        self._at += 1
        if self._at == len(ring):
            self._at = 0
        if self._count < len(ring):
            self._count += 1
        self.value = value
        self.sum = self._running if self._count == len(ring) else 0
        self.peak = max(self.peak, self.sum)
        self.above = self._count == len(ring) and self.sum > self.note.limit
        self.heard = self.above and not self._silent
        if self.heard:
            self.detections += 1
            self._silent = self._refractory
        elif self._silent:
            self._silent -= 1
        return self.heard
