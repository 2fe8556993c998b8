"""A plan on a board: loaded, run over inputs, its costs told."""

import gc
import time
from binascii import a2b_base64, hexlify

_PIECE = 256  # bytes of an output that are written as digits at a time


def load(plan_name, kernel, mapped):
    """Load a plan, in place of the one before, and print the heap that it holds, bytes.

    A refusal is printed as "!" with its code and detail; one for memory says how much of the heap is free.

    Args:
        plan_name: its file.
        kernel: name of the kernels.
        mapped: use it where it lies in flash, on boards that can.
    """
    global _model, _result, _input
    _model = _result = _input = None
    gc.collect()
    before, free = gc.mem_alloc(), gc.mem_free()
    from kittiwake_node.errors import NodeError
    from kittiwake_node.io import model_file

    try:
        plan = model_file.read_plan(plan_name, mapped)  # first: the largest piece, before imports leave gaps
        from kittiwake_node import kernels
        from kittiwake_node.network import Network

        _model = Network(plan, kernels.load(kernel))
        _result = bytearray(_model.header.output_bytes)
        _input = bytearray(_model.header.input_bytes)
    except MemoryError:
        _model = _result = _input = None
        print("! memory network, kernels and plan take more; %d bytes of the heap were free at first" % free)
        return
    except NodeError as error:
        _model = _result = _input = None
        at_first = "; %d bytes of the heap were free at first" % free if error.code == "memory" else ""
        print("!", error.code, error.detail + at_first)
        return
    gc.collect()
    print(gc.mem_alloc() - before)


def run(at, text, resets):
    """Take bytes of inputs that follow each other; print the output of each that is whole, in hexadecimal digits.

    Args:
        at: where the first byte belongs in its input. An input may be more than a board holds as text at a time.
        text: the bytes, in base 64.
        resets: begin each invoke with fresh state.
    """
    for byte in a2b_base64(text):
        _input[at] = byte
        at += 1
        if at == len(_input):
            at = 0
            if resets:
                _model.reset()
            _model.invoke(_input, _result)
            _print_result()


def _print_result():
    view = memoryview(_result)
    for start in range(0, len(view), _PIECE):
        print(hexlify(view[start : start + _PIECE]).decode(), end="")
    print()


def print_instructions():
    """Print the instructions of one more invoke."""
    import kwboard

    gc.collect()
    print(kwboard.count(_model.invoke, _input, _result))


def print_us():
    """Print the microseconds of one more invoke, the best of eight tries."""
    best = None
    for _ in range(8):
        turns = 0
        began = time.ticks_us()
        while True:
            _model.invoke(_input, _result)
            turns += 1
            took = time.ticks_diff(time.ticks_us(), began)
            if took > 5000:
                break
        if best is None or took / turns < best:
            best = took / turns
    print(best)
