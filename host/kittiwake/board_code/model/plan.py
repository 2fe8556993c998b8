"""A plan on a board: loaded, run over inputs, its costs told."""

import gc
import time
from binascii import a2b_base64, hexlify


def load(plan_name, kernel, mapped):
    """Load a plan, in place of the one before, and print the heap that it holds, bytes.

    A refusal is printed as "!" with its code and detail.

    Args:
        plan_name: its file.
        kernel: name of the kernels.
        mapped: use it where it lies in flash, on boards that can.
    """
    global _model, _result, _input
    _model = _result = _input = None
    gc.collect()
    before = gc.mem_alloc()
    from kittiwake_node.errors import NodeError
    from kittiwake_node.io import model_file

    try:
        plan = model_file.read_plan(plan_name, mapped)  # first: the largest piece, before imports leave gaps
        from kittiwake_node import kernels
        from kittiwake_node.network import Model

        _model = Model(plan, kernels.load(kernel))
        _result = bytearray(_model.header.output_bytes)
        _input = bytearray(_model.header.input_bytes)
    except NodeError as error:
        print("!", error.code, error.detail)
        return
    gc.collect()
    print(gc.mem_alloc() - before)


def run(text, resets):
    """Print the output of each input, in hexadecimal digits.

    Args:
        text: inputs one after the other, in base 64.
        resets: begin each invoke with fresh state.
    """
    data = a2b_base64(text)
    size = len(_input)
    for i in range(0, len(data), size):
        if resets:
            _model.reset()
        for k in range(size):
            _input[k] = data[i + k]
        _model.invoke(_input, _result)
        print(hexlify(_result).decode())


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
