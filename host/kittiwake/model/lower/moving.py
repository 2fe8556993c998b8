"""Operators without arithmetic: variables, and what only joins, cuts or renames. Most of them become no step at all.

Every function adds the steps of one operator: work is the Lowering, op the operator, name what to call its steps.
"""

from __future__ import annotations

from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import STATE, Buffer, View
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator, VariableName


def nothing(work: Lowering, op: Operator, name: str) -> None:
    """Lower what takes no step: CALL_ONCE and VAR_HANDLE, which streams.find_variables has read."""


def read_variable(work: Lowering, op: Operator, name: str) -> None:
    """Lower a READ_VARIABLE."""
    index = op.outputs[0]
    part = work.inside.get(index)
    if part is not None and part.whole in work.streams:
        work.home(index)  # a stream's rows are there already
        return
    cell = _cell(work, _variable(work, op), work.tensor(index).shape)
    work.copy(cell, work.home(index), name)


def assign_variable(work: Lowering, op: Operator, name: str) -> None:
    """Lower an ASSIGN_VARIABLE."""
    variable = _variable(work, op)
    if variable not in work.streamed:
        value = work.read(op.inputs[1])
        work.copy(value, _cell(work, variable, value.shape), name)


def concatenation(work: Lowering, op: Operator, name: str) -> None:
    """Lower a CONCATENATION: what was not made in its place is copied there."""
    whole = work.home(op.outputs[0])
    axis = shapes.normal_axis(op.options["axis"], len(whole.shape))
    is_stream = op.outputs[0] in work.streams
    start = 0
    for index in op.inputs:
        size = work.tensor(index).shape[axis]
        is_kept = is_stream and index == op.inputs[0]  # the state, which already lies in it
        if index not in work.views or not is_kept:
            work.copy(work.read(index), whole.slice(axis, start, size), name)
        start += size


def reshape(work: Lowering, op: Operator, name: str) -> None:
    """Lower a RESHAPE."""
    source = work.read(shapes.data_input(work.graph.main, op).index)
    _become(work, op.outputs[0], _reshaped(work, source, work.tensor(op.outputs[0]).shape, name), name)


def strided_slice(work: Lowering, op: Operator, name: str) -> None:
    """Lower a STRIDED_SLICE."""
    ranges, shape = shapes.bounds(work.graph.main, op)
    view = work.read(shapes.data_input(work.graph.main, op).index)
    for axis, (start, count, step) in enumerate(ranges):
        view = view.slice(axis, start, count, step)
    _become(work, op.outputs[0], _reshaped(work, view, shape, name), name)


def split(work: Lowering, op: Operator, name: str) -> None:
    """Lower a SPLIT or SPLIT_V."""
    axis, sizes = shapes.sizes_of_split(work.graph.main, op)
    source = work.read(shapes.data_input(work.graph.main, op).index)
    start = 0
    for index, size in zip(op.outputs, sizes, strict=True):
        _become(work, index, source.slice(axis, start, size), name)
        start += size


def unpack(work: Lowering, op: Operator, name: str) -> None:
    """Lower an UNPACK: each output is a part that has one dimension less."""
    source = work.read(op.inputs[0])
    axis = shapes.normal_axis(op.options["axis"], len(source.shape))
    for number, index in enumerate(op.outputs):
        _become(work, index, _without(source.slice(axis, number, 1), axis), name)


def pack(work: Lowering, op: Operator, name: str) -> None:
    """Lower a PACK: the other way round."""
    whole = work.home(op.outputs[0])
    axis = shapes.normal_axis(op.options["axis"], len(whole.shape))
    for number, index in enumerate(op.inputs):
        work.copy(work.read(index), _without(whole.slice(axis, number, 1), axis), name)


def part(work: Lowering, op: Operator, name: str) -> None:
    """Lower a SLICE."""
    view = work.read(op.inputs[0])
    for axis, (start, count) in enumerate(shapes.part(work.graph.main, op)):
        view = view.slice(axis, start, count)
    _become(work, op.outputs[0], view, name)


def _without(view: View, axis: int) -> View:
    shape, strides = ((*values[:axis], *values[axis + 1 :]) for values in (view.shape, view.strides))
    return view.turned(shape, strides)


def _become(work: Lowering, index: int, view: View, name: str) -> None:
    """A tensor is this view, or a copy of it where it has to live elsewhere."""
    if index in work.inside or index in work.alias:
        work.copy(view, work.home(index), name)
    else:
        work.views[index] = view


def _reshaped(work: Lowering, view: View, shape: tuple[int, ...], name: str) -> View:
    reshaped = view.reshape(shape)
    return View.whole(work.contiguous(view, name).buffer, shape, view.width) if reshaped is None else reshaped


def _variable(work: Lowering, op: Operator) -> VariableName:
    handles = {o.outputs[0]: o.options["name"] for o in work.graph.main.operators if o.kind == "VAR_HANDLE"}
    name: VariableName = handles[op.inputs[0]]
    return name


def _cell(work: Lowering, name: VariableName, shape: tuple[int, ...]) -> View:
    if name not in work.cells:
        work.cells[name] = Buffer(len(work.variables[name]), STATE, work.variables[name])
        work.states.append(work.cells[name])
    return View.whole(work.cells[name], shape)
