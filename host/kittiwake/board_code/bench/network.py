"""Costs of a network: an invoke, and its longest step."""

from kittiwake_node.io import model_file


def _model(plan_name, kernel):
    plan = model_file.read_plan(plan_name)  # first: the largest piece, before imports leave gaps
    from kittiwake_node import kernels
    from kittiwake_node.network import Network

    return Network(plan, kernels.load(kernel))


def make_invoke(storage, plan_name, kernel):
    """Make an invoke.

    Args:
        storage: not used.
        plan_name: file of the plan.
        kernel: name of the kernels.
    """
    m = _model(plan_name, kernel)
    return m.invoke, (bytearray(m.header.input_bytes), bytearray(m.header.output_bytes))


def make_step(storage, plan_name, kernel, step):
    """Make one step, a whole layer.

    Args:
        storage: not used.
        plan_name: file of the plan.
        kernel: name of the kernels.
        step: number of the step.
    """
    m = _model(plan_name, kernel)
    run, at = m._steps[step]
    return run, (at, m._plan, m._scratch, m._state)
