"""A keyword spotter to measure: the layers of MLPerf Tiny's DS-CNN, with random weights of our own.

Knows shapes only: 49 x 10 features in, one dense filter, four pairs of a depthwise and a 1 x 1 filter, 64 channels, 12
classes out; 2,656,768 multiply-accumulates, as many as the original. It recognises nothing.
"""

from __future__ import annotations

from kittiwake.bench.cases.made_net import Net
from kittiwake.model.read.graph import Graph

MACS = 2_656_768
_CHANNELS, _CLASSES, _PAIRS = 64, 12, 4


def graph(activations: str = "int8") -> Graph:
    """Make the network; the same every time.

    Args:
        activations: "int8", or "int16" for 16x8.
    """
    net = Net(activations)
    features = net.activation((1, 49, 10, 1), 0.0625, 83)
    x = net.convolution(features, (10, 4), (2, 2), _CHANNELS)
    for _ in range(_PAIRS):
        x = net.convolution(x, (3, 3), (1, 1), _CHANNELS, depthwise=True)
        x = net.convolution(x, (1, 1), (1, 1), _CHANNELS)
    return net.ended(features, x, _CLASSES)
