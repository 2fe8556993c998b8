"""A network in a script of one's own, without the node: real numbers in, real numbers out.

Beside it on the board: net.kwm, by `kittiwake model compile net.tflite -o net.kwm`.
"""

from kittiwake_node import kernels
from kittiwake_node.network import Network

with open("net.kwm", "rb") as file:
    network = Network(file.read(), kernels.load("viper"))
header = network.header
inputs, outputs = bytearray(header.input_bytes), bytearray(header.output_bytes)


def run(values):
    """Run the network over the numbers of one input; returns those of its output."""
    for i, value in enumerate(values):
        inputs[i] = max(-128, min(127, round(value / header.input_scale) + header.input_zero_point)) & 0xFF
    network.invoke(inputs, outputs)
    return [((byte ^ 0x80) - 0x80 - header.output_zero_point) * header.output_scale for byte in outputs]
