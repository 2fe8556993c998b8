"""What a layer's weights, biases and scales become: channels, and the words of a descriptor that say how they compute.

Knows layers with weights; not how a filter walks over an image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kittiwake.model.lower import halfwords, staging
from kittiwake.model.lower import weights as weight_streams
from kittiwake.model.lower.context import Channels, Lowering
from kittiwake.model.lower.steps import Data, Word
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator


def packed(work: Lowering, op: Operator, rows: Callable[[], Sequence[Sequence[int]]]) -> Channels | None:
    """Give a layer's channels, folded once however often it is lowered.

    Args:
        work: the Lowering.
        op: a layer with weights, its second input.
        rows: gives the weights of each channel, in the order in which its inputs are taken.

    Returns:
        As `channels_of`.
    """
    known = work.packed.channels
    if op.index not in known:
        known[op.index] = channels_of(work, op, rows())
    return known[op.index]


def channels_of(work: Lowering, op: Operator, rows: Sequence[Sequence[int]]) -> Channels | None:
    """Fold zero points and scales into a layer's channels.

    Args:
        work: the Lowering; refuses the operator where its accumulators are out of reach.
        op: a layer with weights, its second input.
        rows: the weights of each channel, in the order in which its inputs are taken.

    Returns:
        The channels, or None.
    """
    source, bias = shapes.data_input(work.graph.main, op), shapes.bias_input(work.graph.main, op)
    weights, result = work.tensor(op.inputs[1]), work.tensor(op.outputs[0])
    biases = [0] * len(rows) if bias is None else shapes.biases(bias)
    each = weights.scales if len(weights.scales) > 1 else weights.scales * len(rows)
    scales = [source.scale * scale / result.scale for scale in each]
    if result.type == "int16":
        return _halfword_layer(work, op, [halfwords.channel(*each) for each in zip(rows, biases, scales, strict=True)])
    channels = [
        weight_streams.channel(w, b, source.zero_point, s, result.zero_point)
        for w, b, s in zip(rows, biases, scales, strict=True)
    ]
    is_depthwise = op.kind == "DEPTHWISE_CONV_2D"
    return channels if staging.fits(work, op, channels, work.weight_layout, is_depthwise) else None


def _halfword_layer(work: Lowering, op: Operator, channels: list[halfwords.Channel]) -> halfwords.Layer | None:
    layer = halfwords.Layer(channels, *staging.activation_range(op, work.tensor(op.outputs[0])))
    problem = layer.problem()
    if problem:
        work.refuse(op, problem)
    return None if problem else layer


def arithmetic(
    work: Lowering, channels: Channels, zero_point: int, depthwise: bool = False
) -> tuple[str, dict[str, Word]]:
    """Give a layer's kind of step, and the words of its descriptor that say how it computes.

    Args:
        work: the Lowering.
        channels: as of `channels_of`.
        zero_point: of the output, where that is bytes.
        depthwise: whether a channel's weights are taps over one channel of the input.
    """
    kind = "depthwise" if depthwise else "conv"
    stream = _stream(work, channels, depthwise)
    if isinstance(channels, halfwords.Layer):
        return f"{kind}16", {"stream": stream, **halfwords.limits(channels.low, channels.high)}
    return kind, {
        "stream": stream,
        "zero": zero_point + 128,
        "wide": int(weight_streams.is_wide(channels)),
        "weight_layout": weight_streams.WEIGHT_LAYOUTS.index(work.weight_layout),
    }


def _stream(work: Lowering, channels: Channels, depthwise: bool) -> Data:
    known = work.packed.streams
    if id(channels) not in known:
        if isinstance(channels, halfwords.Layer):
            content = channels.stream(depthwise)
        else:
            content = weight_streams.stream(channels, work.weight_layout, depthwise)
        known[id(channels)] = channels, Data(content)
    return known[id(channels)][1]
