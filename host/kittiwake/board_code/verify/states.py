"""Answers of the suite `states`."""

from array import array
from binascii import hexlify

from kittiwake_node.detect.state_judge import StateJudge

_kernel = chosen  # noqa: F821 - of verify/chosen, which the board has before this


class _Network:
    """Keeps its input; gives outputs that were prepared."""

    def __init__(self, outputs):
        self.outputs = outputs
        self.inputs = []

    def begin(self, data):
        self.inputs.append(bytes(data))

    def step(self):
        return 0

    def finish(self, result):
        result[:] = self.outputs.pop(0)


def states(argument):
    """Print each block as the network takes it, and the changes of state.

    Args:
        argument: kernel, samples of a block, multiplier, shift, zero point, blocks, margin, pieces in which samples
            come, samples, outputs of each block.
    """
    kernel, size, multiplier, shift, zero, blocks, margin, pieces, samples, outputs = argument

    class Note:
        names = ["s%d" % i for i in range(len(outputs[0]))]
        block = size

    Note.multiplier, Note.shift, Note.zero = multiplier, shift, zero
    network = _Network(list(outputs))
    judge = StateJudge(_kernel(kernel), Note, network, blocks, margin)
    told = []
    start = 0
    for piece in pieces:
        buf = array("h", samples[start : start + piece])
        start += piece
        at = 0
        while at < len(buf):
            at = judge.feed(buf, at, len(buf))
            while judge.pending:
                if judge.step():
                    told.append("%s>%s %d %d %d" % (judge.previous, judge.name, judge.score, judge.index, judge.lasted))
    print(hexlify(b"".join(network.inputs)).decode(), "; ".join(told))
