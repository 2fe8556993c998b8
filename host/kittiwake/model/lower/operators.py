"""Lowering: operators become steps over views; whatever only moves names becomes no step at all.

Knows the model's structure: which tensors can live inside another, which variables are shift buffers. Steps that
compute are made in compute.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from kittiwake.model.lower import compute, streams
from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import STATE, Buffer, Step, View
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Graph, ModelRefused, Operator, Tensor


@dataclass
class Program:
    """A lowered model.

    Attributes:
        steps: in order.
        input, output: contiguous views that the executor copies to and from.
        states: buffers that outlive an invoke.
        source, target: the model's own input and output tensors.
    """

    steps: list[Step]
    input: View
    output: View
    states: list[Buffer]
    source: Tensor
    target: Tensor


def lower(graph: Graph, layout: str) -> Program:
    """Lower an admitted model.

    Args:
        graph: without objections from admit.reasons.
        layout: of the weights, one of weights.LAYOUTS.

    Returns:
        The program, unplanned.

    Raises:
        ModelRefused: with reasons that only show while lowering: accumulators out of reach, copies too entangled.
    """
    main = graph.main
    work = Lowering(graph, layout)
    streams.find_variables(work)
    streams.find_streams(work)
    _find_homes(work)
    source, target = main.tensors[main.inputs[0]], main.tensors[main.outputs[0]]
    given = work.home(source.index)
    if not given.is_contiguous:
        given = View.whole(Buffer(source.elements), source.shape)
        work.copy(given, work.home(source.index), "the input")
    for op in main.operators:
        _operator(work, op)
    result = work.contiguous(work.read(target.index), "the output")
    if result.buffer.kind == STATE:  # the shift at the end would move it
        held = View.whole(Buffer(result.elements), result.shape)
        work.copy(result, held, "the output")
        result = held
    work.steps += streams.shifts(work)
    if work.problems:
        raise ModelRefused(work.problems)
    return Program(work.steps, given, result, work.states, source, target)


def _find_homes(work: Lowering) -> None:
    """Decide, from the last operator to the first, which tensors are made right inside a later one."""
    main = work.graph.main
    makers = {index for op in main.operators for index in op.outputs} | set(main.inputs)
    states = {op.outputs[0] for op in main.operators if op.kind == "READ_VARIABLE"}
    for op in reversed(main.operators):
        if op.kind == "CONCATENATION":
            axis = shapes.normal_axis(op.options["axis"], len(main.tensors[op.outputs[0]].shape))
            start = 0
            for index in op.inputs:
                free = index in makers and index not in work.inside and index not in work.alias
                if op.inputs.count(index) == 1 and free and (index not in states or op.outputs[0] in work.streams):
                    work.inside[index] = (op.outputs[0], axis, start)
                start += main.tensors[index].shape[axis]
        elif op.kind == "RESHAPE":
            index = op.inputs[0]
            free = index in makers and index not in states and index not in work.inside and index not in work.alias
            # Worth it only where the other name leads somewhere; else the reshaped view follows the tensor.
            if free and (op.outputs[0] in work.inside or op.outputs[0] in work.alias):
                work.alias[index] = op.outputs[0]


def _operator(work: Lowering, op: Operator) -> None:
    name = f"{op.index} {op.kind}"
    if op.kind in ("CALL_ONCE", "VAR_HANDLE"):
        return
    if op.kind in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
        _variable(work, op, name)
    elif op.kind == "CONCATENATION":
        whole = work.home(op.outputs[0])
        axis = shapes.normal_axis(op.options["axis"], len(whole.shape))
        start = 0
        for index in op.inputs:
            size = work.tensor(index).shape[axis]
            if index not in work.views or not _is_kept(work, op, index):
                work.copy(work.read(index), whole.slice(axis, start, size), name)
            start += size
    elif op.kind in ("RESHAPE", "STRIDED_SLICE", "SPLIT", "SPLIT_V"):
        for index, view in _parts(work, op):
            if index in work.inside or index in work.alias:
                target = work.home(index)
                work.copy(view, target, name)
            else:
                work.views[index] = view
    else:
        compute.lower(work, op, name)


def _is_kept(work: Lowering, op: Operator, index: int) -> bool:
    """Whether a concatenation's input is the state that already lies in it."""
    stream = work.streams.get(op.outputs[0])
    return stream is not None and index == op.inputs[0]


def _variable(work: Lowering, op: Operator, name: str) -> None:
    names = {o.outputs[0]: o.options["name"] for o in work.graph.main.operators if o.kind == "VAR_HANDLE"}
    key = names[op.inputs[0]]
    if op.kind == "READ_VARIABLE":
        index = op.outputs[0]
        if index in work.inside and work.inside[index][0] in work.streams:
            work.home(index)
            return
        work.copy(_cell(work, key, work.tensor(index).shape), work.home(index), name)
        return
    if key in work.streamed:
        return
    value = work.read(op.inputs[1])
    work.copy(value, _cell(work, key, value.shape), name)


def _cell(work: Lowering, key, shape: tuple[int, ...]) -> View:
    if key not in work.cells:
        work.cells[key] = Buffer(len(work.variables[key]), STATE, work.variables[key])
        work.states.append(work.cells[key])
    return View.whole(work.cells[key], shape)


def _parts(work: Lowering, op: Operator) -> list[tuple[int, View]]:
    main = work.graph.main
    source = work.read(shapes.data_input(main, op).index)
    if op.kind == "STRIDED_SLICE":
        taken, shape = shapes.bounds(main, op)
        view = source
        for axis, (start, count, step) in enumerate(taken):
            view = view.slice(axis, start, count, step)
        shrunk = view.reshape(shape)
        if shrunk is None:
            shrunk = work.contiguous(view, f"{op.index} {op.kind}").reshape(shape)
        return [(op.outputs[0], shrunk)]
    if op.kind == "RESHAPE":
        shape = work.tensor(op.outputs[0]).shape
        view = source.reshape(shape)
        if view is None:
            view = work.contiguous(source, f"{op.index} {op.kind}").reshape(shape)
        return [(op.outputs[0], view)]
    axis, sizes = shapes.sizes_of_split(main, op)
    parts, start = [], 0
    for index, size in zip(op.outputs, sizes, strict=True):
        parts.append((index, source.slice(axis, start, size)))
        start += size
    return parts
