"""The firmware's hearing over audio, piece by piece.

A line of a detection is "+ word sum frame"; of the trace, "= " and two hexadecimal digits a word and output, in turn.
"""

import gc
from array import array
from binascii import a2b_base64, hexlify

from kittiwake_node import kernels
from kittiwake_node.errors import NodeError
from kittiwake_node.io import model_file
from kittiwake_node.speech import words
from kittiwake_node.speech.hearing import Hearing

try:
    import kwboard

    _count = getattr(kwboard, "count", None)
except ImportError:
    _count = None
try:
    import time
except ImportError:
    time = None


class _Silence:
    def reset(self):
        pass


def open_hearing(kernel, files, refractory_ms, is_traced, has_frontend):
    """Make it, in place of the one before, and print the heap that it takes, bytes.

    A refusal is printed as "!" with its code and detail.

    Args:
        kernel: name of the kernels.
        files: of the plans.
        refractory_ms: silence after a detection.
        is_traced: print every output.
        has_frontend: take samples; else features.
    """
    global _hearing, _outputs, _spent
    _hearing = None
    gc.collect()
    before = gc.mem_alloc()
    _outputs = bytearray() if is_traced else None
    _spent = 0
    try:
        k = kernels.load(kernel)
        f = _Silence()
        if has_frontend:
            from kittiwake_node.speech.frontend import Frontend

            f = Frontend(k)
        _hearing = Hearing(k, f, words.make(k, [model_file.read_plan(name) for name in files], refractory_ms))
    except NodeError as error:
        print("!", error.code, error.detail)
        return
    gc.collect()
    gc.threshold(-1)
    print(gc.mem_alloc() - before)


def _work():
    while _hearing.pending:
        word = _hearing.step()
        if word:
            if word.heard:
                print("+", word.name, word.sum, _hearing.frames)
            if _outputs is not None:
                _outputs.append(word.value)


def _hear(buf, stop):
    at = 0
    while at < stop:
        at = _hearing.feed(buf, at, stop)
        _work()


def _print_outputs():
    if _outputs:
        print("=", hexlify(_outputs).decode())
        _outputs[:] = b""


def hear_samples(text):
    """Hear samples, and count what that costs.

    Args:
        text: in base 64.
    """
    global _spent
    buf = array("h", a2b_base64(text))
    if _count:
        _spent += _count(_hear, buf, len(buf))
    else:
        began = time.ticks_us()
        _hear(buf, len(buf))
        _spent += time.ticks_diff(time.ticks_us(), began)
    _print_outputs()


def hear_features(text):
    """Hear features in place of samples.

    Args:
        text: frames of 40, in base 64.
    """
    data = array("H", a2b_base64(text))
    for i in range(0, len(data), 40):
        _hearing.take(data[i : i + 40])
        _work()
    _print_outputs()


def print_hearing():
    """Print frames and cost, then a line a word: name, peak, window."""
    print(_hearing.frames, _spent)
    for word in _hearing.words:
        print(word.name, word.peak, word.note.window)
