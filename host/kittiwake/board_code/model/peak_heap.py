"""One trial of how much heap a network needs: so much is left, all else is filled, and the network loaded and run."""

import gc

_ballast = [None] * 200


def print_free():
    """Print the bytes that are free."""
    gc.collect()
    print(gc.mem_free())


# A call of its own before `trial`, because the collector takes any word on the stack for an address: what this let go
# may be there yet.
def fill(left, grain):
    """Leave so many bytes in one piece and fill all else.

    Args:
        left: bytes.
        grain: the smallest piece to fill, bytes.
    """
    _ballast.clear()
    try:
        room = bytearray(left)  # noqa: F841 - held until all else is full
    except MemoryError:
        return
    size = 1 << 20
    while size >= grain:
        try:
            _ballast.append(bytearray(size))
        except MemoryError:
            size >>= 1


def trial(left, plan_name, kernel, mapped):
    """Load and run a network with what is left.

    Args:
        left: bytes.
        plan_name: file of the plan.
        kernel: name of the kernels.
        mapped: use the plan where it lies in flash, on boards that can.

    Returns:
        "runs", or "short" when there was too little, or "held" when less than that is free.
    """
    gc.collect()
    if gc.mem_free() < left:
        return "held"
    try:
        from kittiwake_node.errors import NodeError
        from kittiwake_node.io import model_file
    except MemoryError:
        return "short"
    try:
        plan = model_file.read_plan(plan_name, mapped)
        from kittiwake_node import kernels
        from kittiwake_node.network import Network

        model = Network(plan, kernels.load(kernel))
        features = bytearray(model.header.input_bytes)
        result = bytearray(model.header.output_bytes)
        model.invoke(features, result)
        model.invoke(features, result)
    except (MemoryError, NodeError):
        return "short"
    finally:
        _ballast.clear()
    return "runs"
