"""Answers of the suite `model`."""

import sys
from binascii import hexlify

from kittiwake_node import kernels
from kittiwake_node.network import Network

_family = getattr(sys.implementation, "_mpy", 0) >> 10 & 15
_assembler = "thumb2" if 5 <= _family <= 8 else "rv32" if _family == 11 else "xtensa" if _family == 10 else None


def layer(argument):
    """Print a layer's output.

    Args:
        argument: kernel, plan with weights by rows, plan with weights by fours, input.
    """
    kernel, rows, quads, features = argument
    if kernel == "assembler":
        kernel = _assembler or "viper"
    m = Network(bytearray(quads if kernel in ("thumb2", "rv32") else rows), kernels.load_or_viper(kernel))
    out = bytearray(m.header.output_bytes)
    m.invoke(features, out)
    print(hexlify(out).decode())
