"""What a call costs in instructions."""

import gc

import kwboard


def print_instructions(nothing, call):
    """Print the instructions of a call, less those of one that does nothing.

    Args:
        nothing: a function that returns at once.
        call: a function that makes the call; it is made once before, unmeasured.
    """
    call()
    gc.collect()
    base = kwboard.count(nothing)
    gc.collect()
    print(kwboard.count(call) - base)
