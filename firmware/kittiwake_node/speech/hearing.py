"""Several wake words on one front end, in slices: audio in, one layer of one network a call, decisions out.

Must not know where audio comes from or what a detection leads to. The constructor allocates; the rest does not, with
native kernels.

    at = hearing.feed(buf, at, stop)        # up to the end of a frame
    while hearing.pending:
        word = hearing.step()               # one layer; other work may come in between
        if word and word.heard: ...
"""

from .quantise import Quantiser

if False:  # for mypy alone
    from kittiwake_types import FeatureSource, KernelSet, Samples

    from .keyword import Keyword
    from .note import Note

_FIRST_SAMPLES = 480  # the front end's window, 30 ms
_FRAME_SAMPLES = 160  # a frame every 10 ms from there on


class Hearing:
    """The front end and the words that listen on it.

    Words whose models share scale, zero point and stride share the quantised input. Networks take turns; while one has
    work to do no audio is taken, so whoever calls keeps it (a source has a ring).

    Args:
        kernel: what `kernels.load` returned.
        frontend: speech.frontend.Frontend, or the like: feed(buf, start, stop) stops right behind the sample that
            completes a frame, whose 40 values are then in `features`; reset().
        words: list of speech.keyword.Keyword.

    Attributes:
        words: as given.
        frames: of features since the start.
        pending: whether networks have work to do.
    """

    def __init__(self, kernel: "KernelSet", frontend: "FeatureSource", words: "list[Keyword]") -> None:
        self.words = words
        self.frames = 0
        self.pending = False
        self._frontend = frontend
        self._quantisers: "list[Quantiser]" = []
        self._of = [self._quantiser(kernel, word.note) for word in words]
        self._turn = 0
        self._running = False
        self._until = _FIRST_SAMPLES  # samples that complete the next frame

    def _quantiser(self, kernel: "KernelSet", note: "Note") -> "Quantiser":
        key = (note.scale_bits, note.zero, note.stride)
        for known in self._quantisers:
            if known.key == key:
                return known
        self._quantisers.append(Quantiser(kernel, *key))
        return self._quantisers[-1]

    def reset(self) -> None:
        """Forget all audio; the words forget as well."""
        self._frontend.reset()
        self.pending = self._running = False
        self._turn = 0
        self._until = _FIRST_SAMPLES
        for quantiser in self._quantisers:
            quantiser.clear()
        for word in self.words:
            word.reset()

    def feed(self, buf: "Samples", start: int, stop: int) -> int:
        """Take buf[start:stop], int16 at 16 kHz, but no further than the end of a frame.

        Args:
            buf: array('h'); read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Returns:
            Index up to which samples were taken; `start` while `pending`.
        """
        if self.pending:
            return start
        at = self._frontend.feed(buf, start, stop)
        self._until -= at - start
        if not self._until:
            self._until = _FRAME_SAMPLES
            self.take(self._frontend.features)
        return at

    def take(self, features: "Samples") -> None:
        """Take a frame of features, array('H') of 40; `pending` tells whether networks now have work to do."""
        self.frames += 1
        for quantiser in self._quantisers:
            if quantiser.take(features):
                self.pending = True

    def step(self) -> "Keyword | None":
        """Run one layer of the network whose turn it is.

        Returns:
            The word whose network has just given an output (`value`, `sum` and `heard` are new), or None.
        """
        words = self.words
        while self._turn < len(words) and not self._of[self._turn].full:
            self._turn += 1
        if self._turn == len(words):
            self._turn = 0
            self.pending = False
            for quantiser in self._quantisers:
                if quantiser.full:
                    quantiser.clear()
            return None
        word = words[self._turn]
        if not self._running:
            word.model.begin(self._of[self._turn].data)
            self._running = True
        if word.model.step():
            return None
        word.model.finish(word.output)
        word.take()
        self._running = False
        self._turn += 1
        return word
