"""What a set of networks has in it: operators, and the edges of their parameters, read from the graphs themselves."""

import math

ODD = range(1, 68, 2)
_ACTIVATIONS = ("none", "relu", "relu6", "relu_n1_to_1")
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D", *_POOLS)
OPERATORS = (
    *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "ADD", "MUL"),
    *("CONCATENATION", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "RESHAPE", "PAD", "RELU", "LOGISTIC", "TANH", "SOFTMAX"),
    *("QUANTIZE", "DEQUANTIZE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"),
)
# All that must come up, or the networks try less than they say.
WANTED = frozenset(
    [
        *OPERATORS,
        *(f"channels {n}" for n in ODD),
        *(f"{kind} {padding}" for kind in _WINDOWED for padding in ("same", "valid")),
        *(f"{kind} stride {n} {way}" for kind in _WINDOWED for n in (1, 2, 3) for way in ("down", "across")),
        *(f"{kind} {name}" for kind in (*_WEIGHTED, *_POOLS, "ADD", "MUL") for name in _ACTIVATIONS),
        *(f"{kind} {end} zero {n}" for kind in _WEIGHTED for end in ("input", "output") for n in (-128, 127)),
        *(f"{kind} {end} zero {n}" for kind in ("ADD", "MUL") for end in ("input", "output") for n in (-128, 127)),
        *(f"{kind} scales {how}" for kind in _WEIGHTED for how in ("one", "per channel")),
        *(f"{kind} bias {how}" for kind in _WEIGHTED for how in ("absent", "present")),
        *(f"{kind} dilated" for kind in ("CONV_2D", "DEPTHWISE_CONV_2D")),
        *(f"depth multiplier {n}" for n in (1, 2, 3)),
        *("FULLY_CONNECTED batch", "MEAN keeps", "MEAN drops", "one pixel", "ADD broadcast", "MUL broadcast"),
    ]
)


def of_graph(graph):
    """The entries of WANTED, and more of their kind, that a graph has; a list with repetitions."""
    main = graph.main
    found = []
    for op in main.operators:
        found.append(op.kind)
        o = op.options
        source, target = (
            (main.tensors[op.inputs[0]] if op.inputs else None),
            (main.tensors[op.outputs[0]] if op.outputs else None),
        )
        if op.kind in _WINDOWED:
            found.append(f"{op.kind} {o['padding']}")
            found += [f"{op.kind} stride {n} {way}" for n, way in zip(o["stride"], ("down", "across"), strict=True)]
            if target.shape[1:3] == (1, 1):
                found.append("one pixel")
        if "activation" in o:
            found.append(f"{op.kind} {o['activation']}")
        if op.kind in (*_WEIGHTED, "ADD", "MUL"):
            found += [f"{op.kind} {end} zero {t.zero_point}" for end, t in (("input", source), ("output", target))]
        if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            found += [f"channels {t.shape[-1]}" for t in (source, target)]
            if o["dilation"] != (1, 1):
                found.append(f"{op.kind} dilated")
        if op.kind in _WEIGHTED:
            weights = main.tensors[op.inputs[1]]
            found.append(f"{op.kind} scales {'per channel' if len(weights.scales) > 1 else 'one'}")
            found.append(f"{op.kind} bias {'present' if len(op.inputs) > 2 and op.inputs[2] >= 0 else 'absent'}")
        if op.kind == "DEPTHWISE_CONV_2D":
            found.append(f"depth multiplier {target.shape[-1] // source.shape[-1]}")
        if op.kind == "FULLY_CONNECTED" and source.elements > main.tensors[op.inputs[1]].shape[1]:
            found.append("FULLY_CONNECTED batch")
        if op.kind == "MEAN":
            found.append(f"MEAN {'keeps' if o['keep_dims'] else 'drops'}")
        if op.kind in ("ADD", "MUL") and math.prod(main.tensors[op.inputs[1]].shape) < target.elements:
            found.append(f"{op.kind} broadcast")
    return found
