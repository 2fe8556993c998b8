"""What `kittiwake bench` makes of a case: (function, arguments) from a `make`, called, and its cost printed."""

import gc
import time


def measure_instructions(make, storage, arguments, calls):
    """Print the instructions of some calls, and the bytes that the one before them takes from the heap.

    The collector is run before each, so that none runs within by chance.

    Args:
        make: of the case.
        storage: as the node's configuration has it.
        arguments: more of them for `make`.
        calls: how many; the first, unmeasured, comes on top.
    """
    import kwboard

    f, values = make(storage, *arguments)
    gc.collect()
    before = gc.mem_alloc()
    f(*values)
    allocated = gc.mem_alloc() - before
    total = 0
    for _ in range(calls):
        gc.collect()
        total += kwboard.count(f, *values)
    print(total, allocated)


def measure_us(make, storage, arguments, calls):
    """Print the microseconds of some calls, repeated until the clock's grain no longer matters.

    The best of five counts, for what else the machine does only adds.

    Args:
        make: of the case.
        storage: as the node's configuration has it.
        arguments: more of them for `make`.
        calls: that the figure is for.
    """
    f, values = make(storage, *arguments)
    f(*values)
    turns = calls
    best = None
    for _ in range(5):
        gc.collect()
        while True:
            began = time.ticks_us()
            for _ in range(turns):
                f(*values)
            took = time.ticks_diff(time.ticks_us(), began)
            if took > 5000 or turns > 100000:
                break
            turns *= 2
        if best is None or took * best[1] < best[0] * turns:
            best = took, turns
    print(best[0] * calls / best[1], 0)


def measure_result(make, storage, arguments, calls):
    """Print what the call returns, a figure in a unit of its own.

    Args:
        make: of the case.
        storage: as the node's configuration has it.
        arguments: more of them for `make`.
        calls: 1.
    """
    f, values = make(storage, *arguments)
    print(f(*values), 0)
