"""State of streaming models: variables, and those among them that are shift buffers.

Knows operators and views; what else is lowered is not known here.
"""

from __future__ import annotations

from kittiwake.model.lower.context import Lowering, Stream
from kittiwake.model.lower.steps import Ref, Step, Word, ref
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator, VariableName


def find_variables(work: Lowering) -> None:
    """Collect each variable's initial bytes from the subgraphs that CALL_ONCE runs."""
    for op in work.graph.main.operators:
        if op.kind != "CALL_ONCE":
            continue
        subgraph = work.graph.subgraphs[op.options["subgraph"]]
        names = {o.outputs[0]: o.options["name"] for o in subgraph.operators if o.kind == "VAR_HANDLE"}
        for o in subgraph.operators:
            if o.kind == "ASSIGN_VARIABLE":
                work.variables[names[o.inputs[0]]] = subgraph.tensors[o.inputs[1]].content


def find_streams(work: Lowering) -> None:
    """Recognise READ -> CONCATENATION with new rows -> STRIDED_SLICE of the last rows -> ASSIGN."""
    main = work.graph.main
    names = {op.outputs[0]: op.options["name"] for op in main.operators if op.kind == "VAR_HANDLE"}
    readers = _readers(work)
    makers = {index: op for op in main.operators for index in op.outputs}
    uses: dict[VariableName, list[Operator]] = {}
    for op in main.operators:
        if op.kind in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
            uses.setdefault(names[op.inputs[0]], []).append(op)
    for name, ops in uses.items():
        if [op.kind for op in ops] != ["READ_VARIABLE", "ASSIGN_VARIABLE"]:
            continue
        old, assigned = ops[0].outputs[0], ops[1].inputs[1]
        kept = makers.get(assigned)
        if len(readers.get(old, ())) != 1 or kept is None or kept.kind != "STRIDED_SLICE" or old in main.outputs:
            continue
        concat = readers[old][0]
        if concat.kind != "CONCATENATION" or concat.inputs[0] != old or kept.inputs[0] != concat.outputs[0]:
            continue
        whole, state = main.tensors[concat.outputs[0]], main.tensors[old]
        axis = shapes.normal_axis(concat.options["axis"], len(whole.shape))
        ranges, _ = shapes.bounds(main, kept)
        fresh = whole.shape[axis] - state.shape[axis]
        expected = [(fresh, state.shape[axis], 1) if i == axis else (0, n, 1) for i, n in enumerate(whole.shape)]
        if ranges == expected and all(n == 1 for n in whole.shape[:axis]) and concat.inputs.count(old) == 1:
            work.streamed.add(name)
            work.streams[whole.index] = Stream(concat, axis, state.shape[axis], work.variables[name])


def shifts(work: Lowering) -> list[Step]:
    """Make the step that moves the kept rows of every shift buffer to its front; none where there is none."""
    words: list[Word] = []
    moved = 0
    buffers = []
    for index, stream in work.streams.items():
        view = work.views[index]
        row = view.elements // view.shape[stream.axis]
        fresh = view.shape[stream.axis] - stream.kept
        if stream.kept and fresh:
            words += [ref(view), Ref(view.buffer, view.offset + fresh * row), stream.kept * row]
            moved += stream.kept * row
            buffers.append(view.buffer)
    if not words:
        return []
    return [Step("shift", [len(words) // 3, *words], list(buffers), list(buffers), "state", outputs=moved)]


def _readers(work: Lowering) -> dict[int, list[Operator]]:
    readers: dict[int, list[Operator]] = {}
    for op in work.graph.main.operators:
        for index in op.inputs:
            readers.setdefault(index, []).append(op)
    return readers
