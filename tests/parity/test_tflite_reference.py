"""TFLite's reference kernels (LiteRT, the runtime that carries tflite-runtime on) beside TFLite Micro: why they differ.

What runs here has TFLite Micro's bytes. Where the two references differ, this pins the reasons in
docs/explanation/networks.md.
"""

import math
import random

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")
pytest.importorskip("ai_edge_litert", reason="no wheel of ai-edge-litert for this machine")

import numpy as np
from ai_edge_litert import interpreter as litert

from kittiwake.model.run import oracle
from tests.parity import models
from tests.support.tflite_graphs import random_model
from tests.support.tflite_net import Net

ALL_BYTES = bytes(range(256))
SCALES = (1 / 256, 1 / 128, 0.01, 0.0234, 0.05, 0.1, 0.37, 1.0, 2.5, 7.9, 8.0, 9.07, 15.9, 33.0, 580.0)
ZEROS = (-128, -25, 0, 17, 127)
# (what an output is worth, its zero point, the function)
SQUASHING = {
    "LOGISTIC": (256, -128, lambda x: 1 / (1 + math.exp(-max(-700.0, x)))),
    "TANH": (128, 0, math.tanh),
}
ROUNDED_ONCE = "FULLY_CONNECTED"


def of_litert(content, inputs):
    """Outputs of LiteRT's reference kernels; None where they refuse the model."""
    try:
        made = litert.Interpreter(
            model_content=content, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF, num_threads=1
        )
        made.allocate_tensors()
    except RuntimeError:  # a convolution without a bias
        return None
    given, result = made.get_input_details()[0], made.get_output_details()[0]
    outputs = []
    for data in inputs:
        made.set_tensor(given["index"], np.frombuffer(data, given["dtype"]).reshape(given["shape"]))
        made.invoke()
        outputs.append(made.get_tensor(result["index"]).tobytes())
    return outputs


def signed(byte):
    return byte - 256 if byte > 127 else byte


@pytest.mark.parametrize("kind", SQUASHING)
def test_squashing_functions_differ_at_zero_under_coarse_scales_and_by_one_at_ties_only(kind):
    """TFLite rounds a function of floats; TFLite Micro computes in Q4.27, and calls 0 out of range when a step is 8."""
    worth, middle, function = SQUASHING[kind]
    coarse = ties = 0
    with oracle.Oracle() as micro:
        for scale in SCALES:
            for zero in ZEROS:
                net = Net(random.Random(1))
                x = net.tensor((1, 256), quant=(float(np.float32(scale)), zero))
                content = net.bytes(x, net.unary(x, kind))
                (table,), (fixed,) = of_litert(content, [ALL_BYTES]), micro.run(content, [ALL_BYTES])[0]
                for byte, (theirs, ours) in enumerate(zip(table, fixed, strict=True)):
                    real = worth * function(float(np.float32(scale)) * (signed(byte) - zero)) + middle
                    real = max(-128, min(127, real))
                    assert abs(signed(theirs) - real) <= 0.5 + 1e-4
                    if theirs == ours:
                        continue
                    if scale >= 8 and signed(byte) == zero:
                        assert signed(ours) == -128
                        coarse += 1
                    else:
                        assert abs(signed(theirs) - signed(ours)) == 1
                        assert abs(abs(real - math.floor(real)) - 0.5) < 0.01
                        ties += 1
    assert coarse and ties


def test_random_graphs_differ_only_by_squashing_functions_and_by_rounding_once():
    differing = same = 0
    with oracle.Oracle() as micro:
        for seed in range(100):
            content, shape, used = random_model(seed)
            data = models.inputs(shape[1] * shape[2] * shape[3], 4, seed)
            theirs = of_litert(content, data)
            if theirs is None:
                continue
            if theirs == micro.run(content, data)[0]:
                same += 1
            else:
                differing += 1
                assert {use[0] for use in used} & {*SQUASHING, ROUNDED_ONCE}, (seed, used)
    assert same > 10 * differing > 0
