"""Blocks of samples through a network to a state, which changes when the network is sure of another for long enough.

Must not know where samples come from or what a change leads to. The constructor allocates; the rest does not, with
native kernels.

    at = judge.feed(buf, at, stop)      # up to the end of a block
    while judge.pending:
        if judge.step(): ...            # one layer; True when the state has changed
"""

from array import array

if False:  # for mypy alone
    from kittiwake_types import KernelSet, Network, Samples

    from .state_note import StateNote

try:
    from micropython import const
except ImportError:

    def const(value: int) -> int:
        """Stand in for MicroPython's compile-time constant."""
        return value


# State words of `ring` and of `block`: see the docstring of the package `kernels`.
_POS = const(1)
_START = const(2)
_STOP = const(3)
_MEAN = const(1)
_NONE = -1


class StateJudge:
    """A network with what its outputs become.

    Args:
        kernel: what `kernels.load` returned.
        note: state_note.StateNote.
        network: network.Network of the same plan.
        blocks: so many blocks, one after the other, must be told for a new state before it holds, 1 or more.
        margin: 256ths by which a new state must be ahead of the one that holds, 0 to 255.

    Attributes:
        block: samples of a block.
        pending: whether the network has work to do.
        name, previous: of the state that holds, and of the one before it; "" for none.
        score: of the state that holds as it began, in 256ths.
        index: samples up to the last that the decision for it needed.
        lasted: samples from the decision for the previous one to this one; 0 for none.
    """

    def __init__(self, kernel: "KernelSet", note: "StateNote", network: "Network", blocks: int, margin: int) -> None:
        self.block = note.block
        self.pending = False
        self.name = self.previous = ""
        self.score = self.index = self.lasted = 0
        self._names = note.names
        self._network = network
        self._blocks = blocks
        self._margin = margin
        self._keep = kernel.entry("ring", "keep")
        self._total = kernel.entry("block", "total")
        self._quantise = kernel.entry("block", "quantise")
        self._ring = array("h", bytes(2 * note.block))
        self._words = array("i", [note.block, 0, 0, 0])
        self._scaling = array("i", [note.block, 0, note.multiplier, note.shift, note.zero + 128])
        self._input = bytearray(note.block)
        self._output = bytearray(len(note.names))
        self._through = 0  # samples of the blocks that were judged
        self._state = self._rival = _NONE
        self._told = 0  # blocks, one after the other, that were told for the rival

    def feed(self, buf: "Samples", start: int, stop: int) -> int:
        """Take buf[start:stop], but no further than the end of a block.

        Args:
            buf: array('h'); read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Returns:
            Index up to which samples were taken. Whoever calls must not complete a block while `pending`.
        """
        words = self._words
        end: int = min(stop, start + self.block - words[_POS])
        words[_START] = start
        words[_STOP] = end
        self._keep(words, self._ring, buf)
        if not words[_POS]:
            self._begin()
        return end

    def _begin(self) -> None:
        size, scaling = self.block, self._scaling
        scaling[_MEAN] = (self._total(self._ring, size) + (size >> 1)) // size
        self._quantise(scaling, self._ring, self._input)
        self._network.begin(self._input)
        self.pending = True

    def step(self) -> bool:
        """Run one layer. Returns whether the block is judged and the state has changed."""
        if self._network.step():
            return False
        self._network.finish(self._output)
        self.pending = False
        self._through += self.block
        return self._decide()

    def _decide(self) -> bool:
        outputs = self._output
        best = 0
        for i in range(1, len(outputs)):
            if outputs[i] ^ 128 > outputs[best] ^ 128:
                best = i
        held = self._state
        ahead = self._margin if held == _NONE else (outputs[best] ^ 128) - (outputs[held] ^ 128)
        if best == held or ahead < self._margin:
            self._rival = _NONE
            return False
        self._told = self._told + 1 if best == self._rival else 1
        self._rival = best
        if self._told < self._blocks:
            return False
        self.previous, self.name = self.name, self._names[best]
        self.lasted = 0 if held == _NONE else self._through - self.index
        self.index = self._through
        self.score = outputs[best] ^ 128
        self._state = best
        self._rival = _NONE
        return True
