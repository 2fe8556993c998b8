"""One of the firmware's detectors over samples, block by block."""

import binascii
from array import array

from kittiwake_node import kernels
from kittiwake_node.config import check_detector
from kittiwake_node.detect import kinds
from kittiwake_node.errors import NodeError


def make_detector(kernel, settings, typecode):
    """Make it, or print "!" with code and detail of the refusal of its settings.

    Args:
        kernel: name of the kernels.
        settings: of the detector, as a node's configuration has them.
        typecode: of the samples: "h" for 16 bits, "i" for 24.
    """
    global _detector, _seen, _typecode
    _seen = 0
    _typecode = typecode
    try:
        _detector = kinds.make(kernels.load(kernel), check_detector(settings), 16 if typecode == "h" else 24)
    except NodeError as error:
        print("!", error.code, error.detail)


def feed_detector(text):
    """Feed a block, and print a line an alert: the index of the sample and its payload in hexadecimal.

    Args:
        text: samples, in base 64.
    """
    global _seen
    block = array(_typecode, binascii.a2b_base64(text))
    at = 0
    while at < len(block):
        at = _detector.find(block, at, len(block))
        if at < len(block):
            print(_seen + at, binascii.hexlify(_detector.tell(block[at], 0, _seen + at)).decode())
            at += 1
    _seen += len(block)
