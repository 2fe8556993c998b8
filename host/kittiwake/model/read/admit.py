"""What can be compiled: every reason against a model, found before anything is lowered.

Knows operators and their rules; no kernel and no bytes of a plan. A model that passes lowers without further doubt.
"""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake.model.read import halfword_rules, islands, recurrent_rules, rules
from kittiwake.model.read.graph import Graph, Operator, Subgraph, Tensor, VariableName
from kittiwake.model.read.quantisation import problems_of

# Operators on bytes: how many inputs they take (constants included), least and most.
_ARITY = {
    "CONV_2D": (2, 3),
    "DEPTHWISE_CONV_2D": (2, 3),
    "FULLY_CONNECTED": (2, 3),
    "TRANSPOSE_CONV": (3, 4),
    "PRELU": (2, 2),
    "PACK": (1, 256),
    "UNPACK": (1, 1),
    "SLICE": (3, 3),
    "BATCH_MATMUL": (2, 2),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (24, 24),
    "SVDF": (5, 5),
    "TILE": (2, 2),
    "AVERAGE_POOL_2D": (1, 1),
    "MAX_POOL_2D": (1, 1),
    "MEAN": (2, 2),
    "ADD": (2, 2),
    "MUL": (2, 2),
    "SUB": (2, 2),
    "MAXIMUM": (2, 2),
    "MINIMUM": (2, 2),
    "REDUCE_MAX": (2, 2),
    "CONCATENATION": (1, 64),
    "TRANSPOSE": (2, 2),
    "RESIZE_NEAREST_NEIGHBOR": (2, 2),
    "SPACE_TO_BATCH_ND": (3, 3),
    "BATCH_TO_SPACE_ND": (3, 3),
    "STRIDED_SLICE": (4, 4),
    "SPLIT": (2, 2),
    "SPLIT_V": (3, 3),
    "RESHAPE": (1, 2),
    "PAD": (2, 2),
    "PADV2": (3, 3),
    "RELU": (1, 1),
    "RELU6": (1, 1),
    "LEAKY_RELU": (1, 1),
    "ELU": (1, 1),
    islands.POINTWISE: (1, 1),
    "LOGISTIC": (1, 1),
    "TANH": (1, 1),
    "SOFTMAX": (1, 1),
    "LOG_SOFTMAX": (1, 1),
    "QUANTIZE": (1, 1),
    "DEQUANTIZE": (1, 1),
    "VAR_HANDLE": (0, 0),
    "READ_VARIABLE": (1, 1),
    "ASSIGN_VARIABLE": (2, 2),
    "CALL_ONCE": (0, 0),
}
# May leave their bias out.
_OPTIONAL = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_NO_OUTPUT = ("CALL_ONCE", "ASSIGN_VARIABLE")
# Where an operator keeps its state in variable tensors of the old kind.
_OLD_STATE = {"UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent_rules.STATES, "SVDF": (recurrent_rules.FEATURES,)}
_STATE = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")
# Inputs that must be known when compiling, by place.
_CONSTANTS = {
    "CONV_2D": (1, 2),
    "DEPTHWISE_CONV_2D": (1, 2),
    "FULLY_CONNECTED": (1, 2),
    "TRANSPOSE_CONV": (0, 1, 3),
    "PRELU": (1,),
    "SLICE": (1, 2),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent_rules.CONSTANTS,
    "SVDF": recurrent_rules.SVDF_CONSTANTS,
    "TILE": (1,),
    "MEAN": (1,),
    "REDUCE_MAX": (1,),
    "TRANSPOSE": (1,),
    "RESIZE_NEAREST_NEIGHBOR": (1,),
    "SPACE_TO_BATCH_ND": (1, 2),
    "BATCH_TO_SPACE_ND": (1, 2),
    "STRIDED_SLICE": (1, 2, 3),
    "SPLIT": (0,),
    "SPLIT_V": (1, 2),
    "PAD": (1,),
    "PADV2": (1, 2),
}
# Only these may read or write unsigned bytes.
_UNSIGNED = ("QUANTIZE", "DEQUANTIZE", "RESHAPE")
_ENDS = ("int8", "int16", "uint8", "float32")
OPERATORS = tuple(kind for kind in _ARITY if kind != islands.POINTWISE)


def reasons(graph: Graph) -> list[str]:
    """List everything that keeps a model from being compiled.

    Args:
        graph: as read.

    Returns:
        One line a reason, naming operator and index; empty when there is none.
    """
    main = graph.main
    reasons = list(_ends(main))
    defined = set(main.inputs) | {tensor.index for tensor in main.tensors if tensor.data is not None}
    for op in main.operators:
        reasons += [f"{op}: {why}" for why in _operator(main, op, defined)]
        for index in op.outputs:
            if index in defined:
                reasons.append(f"{op}: writes tensor {index}, which has its value already")
            defined.add(index)
    reasons += [f"output tensor {index} is never computed" for index in main.outputs if index not in defined]
    reasons += _variables(graph)
    return reasons


def _ends(main: Subgraph) -> Iterator[str]:
    for what, indexes in (("input", main.inputs), ("output", main.outputs)):
        if not indexes:
            yield f"it has no {what}"
        if len(set(indexes)) != len(indexes):
            yield f"it names an {what} twice"
        for index in indexes:
            tensor = main.tensors[index]
            if tensor.type not in _ENDS:
                yield f"{what} tensor {index} is {tensor.type}, not {' or '.join(_ENDS)}"
            if 0 in tensor.shape:
                yield f"{what} tensor {index} has the empty shape {list(tensor.shape)}"
    if main.operators == ():
        yield "it has no operators"


def _operator(main: Subgraph, op: Operator, defined: set[int]) -> Iterator[str]:
    if op.kind not in _ARITY:
        yield "is not supported"
        return
    least, most = _ARITY[op.kind]
    inputs = [index for index in op.inputs if index >= 0]
    if not least <= len(op.inputs) <= most or (len(inputs) < least and op.kind not in _OLD_STATE):
        yield f"has {len(inputs)} inputs"
        return
    needed = op.inputs[:least] if op.kind in _OPTIONAL else op.inputs
    if -1 in needed and op.kind not in _OLD_STATE:
        yield "leaves an input out"
        return
    outputs = 0 if op.kind in _NO_OUTPUT else None
    if (outputs == 0 and op.outputs) or (outputs is None and not op.outputs):
        yield f"has {len(op.outputs)} outputs"
        return
    if op.kind not in ("SPLIT", "SPLIT_V", "UNPACK") and len(op.outputs) > 1:
        yield f"has {len(op.outputs)} outputs"
        return
    if op.kind in _OLD_STATE:
        missing = [place for place in (0, *_CONSTANTS[op.kind], *_OLD_STATE[op.kind]) if op.inputs[place] < 0]
        if missing:
            yield f"leaves input {missing[0]} out"
            return
    states = [op.inputs[place] for place in _OLD_STATE.get(op.kind, ())]
    early = [index for index in inputs if index not in defined and index not in states]
    if early:
        yield f"reads tensor {early[0]} before it is computed"
        return
    constants = _CONSTANTS.get(op.kind, ())
    for place in constants:
        if place < len(op.inputs) and op.inputs[place] >= 0 and main.tensors[op.inputs[place]].data is None:
            yield f"input {place} is not constant"
            return
    tensors = _data_tensors(main, op, constants)
    problems = [why for t in tensors for why in _tensor(t, op)]
    if problems:
        yield from problems
        return
    if op.kind not in _STATE:
        try:
            if any(tensor.type == "int16" for tensor in tensors):
                yield from halfword_rules.problems(main, op, tensors)
            yield from rules.problems(main, op)
        except (ValueError, IndexError, ZeroDivisionError, OverflowError):
            yield "has options or constants that make no sense"


def _data_tensors(main: Subgraph, op: Operator, constants: tuple[int, ...]) -> list[Tensor]:
    if op.kind in ("VAR_HANDLE", "CALL_ONCE"):
        return []
    inputs = [main.tensors[i] for place, i in enumerate(op.inputs) if i >= 0 and place not in constants]
    if op.kind == "RESHAPE":
        inputs = inputs[:1]
    if op.kind in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
        inputs = inputs[1:]
    if op.kind in _OLD_STATE:
        inputs = inputs[:1]
    return inputs + [main.tensors[i] for i in op.outputs]


def _tensor(tensor: Tensor, op: Operator) -> Iterator[str]:
    of = f"tensor {tensor.index}"
    if 0 in tensor.shape:
        yield f"{of} has the empty shape {list(tensor.shape)}"
    if tensor.variable:
        yield f"{of} is a variable tensor of the old kind"
    allowed = ["int8"]
    if op.kind in halfword_rules.KINDS:
        allowed.append("int16")
    if op.kind in _UNSIGNED:
        allowed.append("uint8")
    if op.kind == "DEQUANTIZE" and tensor.index in op.outputs:
        allowed = ["float32"]
    if op.kind == "RESHAPE" or (op.kind == "QUANTIZE" and tensor.index in op.inputs):
        allowed.append("float32")
    if tensor.type not in allowed:
        yield f"{of} is {tensor.type}, not {' or '.join(allowed)}"
        return
    if tensor.is_activation:
        yield from problems_of(tensor)


def _variables(graph: Graph) -> Iterator[str]:
    """Handles and initial values: each variable named once a subgraph, initialised by constants, of one size."""
    main = graph.main
    sizes: dict[VariableName, int] = {}
    for op in main.operators:
        if op.kind == "CALL_ONCE":
            number = op.options["subgraph"]
            if not 0 < number < len(graph.subgraphs):
                yield f"{op}: names subgraph {number} of {len(graph.subgraphs)}"
                continue
            yield from _initialisation(graph.subgraphs[number], number, sizes)
    handles = {op.outputs[0]: op.options["name"] for op in main.operators if op.kind == "VAR_HANDLE" and op.outputs}
    for op in main.operators:
        if op.kind not in ("READ_VARIABLE", "ASSIGN_VARIABLE") or len(op.inputs) < 1:
            continue
        name = handles.get(op.inputs[0])
        value = op.outputs[:1] if op.kind == "READ_VARIABLE" else op.inputs[1:2]
        if name is None:
            yield f"{op}: its handle comes from no VAR_HANDLE"
        elif name not in sizes:
            yield f"{op}: variable {name[1].decode(errors='replace')!r} is never initialised"
        elif value and main.tensors[value[0]].elements != sizes[name]:
            yield f"{op}: moves {main.tensors[value[0]].elements} bytes, the variable has {sizes[name]}"


def _initialisation(subgraph: Subgraph, number: int, sizes: dict[VariableName, int]) -> Iterator[str]:
    handles = {}
    for op in subgraph.operators:
        where = f"subgraph {number}, {op}"
        if op.kind == "VAR_HANDLE" and len(op.outputs) == 1:
            handles[op.outputs[0]] = op.options["name"]
        elif op.kind == "ASSIGN_VARIABLE" and len(op.inputs) == 2 and op.inputs[1] >= 0:
            value = subgraph.tensors[op.inputs[1]]
            if value.data is None or value.type != "int8":
                yield f"{where}: assigns {value.type} that is not constant int8"
            elif op.inputs[0] not in handles:
                yield f"{where}: its handle comes from no VAR_HANDLE"
            else:
                sizes[handles[op.inputs[0]]] = value.elements
        else:
            yield f"{where}: only VAR_HANDLE and ASSIGN_VARIABLE initialise"
