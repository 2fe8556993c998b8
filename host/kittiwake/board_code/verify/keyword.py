"""Answers of the suite `keyword`."""

from array import array
from binascii import hexlify

from kittiwake_node.speech.keyword import Keyword
from kittiwake_node.speech.quantise import Quantiser

_kernel = chosen  # noqa: F821 - of verify/chosen, which the board has before this


class _Note:
    name = "word"
    step_ms = 10


class _Header:
    output_bytes = 1


class _Outputs:
    header = _Header

    def reset(self):
        pass


def decisions(argument):
    """Print the running sum after each output, and where a word was heard.

    Args:
        argument: window, limit, stride, flip, refractory_ms, outputs.
    """
    note = _Note()
    note.window, note.limit, note.stride, note.flip, refractory_ms, outputs = argument
    word = Keyword(note, _Outputs(), refractory_ms)
    sums = []
    for value in outputs:
        word.output[0] = value
        word.take()
        sums.append("%d%s" % (word.sum, "!" if word.heard else ""))
    print(" ".join(sums))


def quantised(argument):
    """Print features as a network takes them.

    Args:
        argument: kernel, bits of the scale, zero point, frames, features.
    """
    kernel, bits, zero, stride, features = argument
    q = Quantiser(_kernel(kernel), bits, zero, stride)
    for i in range(stride):
        q.take(array("H", features[40 * i : 40 * i + 40]))
    print(hexlify(q.data).decode())


def keyword(argument):
    """Answer a vector of either kind.

    Args:
        argument: "decide" or "features", and what `decisions` or `quantised` takes.
    """
    (decisions if argument[0] == "decide" else quantised)(argument[1:])
