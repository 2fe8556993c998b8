"""Networks as people convert them: random ones by Keras and TensorFlow's converter, byte for byte TFLite Micro's.

That a wrong byte is seen is held by test_check_models.py, whose judge this uses.
"""

import json
import re

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.errors import KittiwakeError
from kittiwake.model.read import flatbuffer
from kittiwake.model.run import oracle
from kittiwake.target import open_target
from tests.support import keras_folder, network_tally
from tests.support.hil import SOAK
from tools import check_models

NETWORKS = 300 if SOAK else 8
INVOKES = 8
_SECONDS_TO_MAKE = 600 if SOAK else 110  # by one process
# Of the operators that Keras's layers become; a few networks have most of them, many have all.
_COMMON = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "RESHAPE"}
_ALL = _COMMON | {
    *("ADD", "MUL", "SUB", "MAXIMUM", "MINIMUM", "CONCATENATION", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN"),
    *(
        "REDUCE_MAX",
        "LOGISTIC",
        "TANH",
        "SOFTMAX",
        "LOG_SOFTMAX",
        "LEAKY_RELU",
        "PRELU",
        "TRANSPOSE",
        "TRANSPOSE_CONV",
        "PAD",
    ),
    *("RESIZE_NEAREST_NEIGHBOR", "TILE", "BATCH_MATMUL", "QUANTIZE", "DEQUANTIZE"),
    *("SHAPE", "PACK", "STRIDED_SLICE"),
}


@pytest.fixture(scope="module")
def keras_networks(tensorflow, tmp_path_factory):
    """The folder of the networks."""
    folder = tmp_path_factory.mktemp("networks")
    keras_folder.write(tensorflow, folder, NETWORKS, _SECONDS_TO_MAKE)
    return folder


@pytest.mark.timeout(3600 if SOAK else 120)
def test_networks_of_keras_give_the_bytes_of_tflite_micro(keras_networks):
    """What is refused is no int8 network that TFLite Micro runs, and defines."""
    equal, wrong, operators = 0, [], set()
    with open_target("unix") as board, oracle.Oracle() as micro:
        for path, content in check_models.models(keras_networks, 1 << 20):
            verdict = check_models.judge(board, micro, path, content, INVOKES)
            operators |= {op.kind for op in flatbuffer.read(content, path.name).main.operators}
            if verdict.outcome == check_models.EQUAL:
                equal += 1
                network_tally.add("unix", "viper", "Keras networks", INVOKES)
            elif verdict.outcome == check_models.DIFFERS or not _is_excused(verdict.detail) and _runs(micro, content):
                wrong.append(f"{path.name} {verdict.outcome}: {verdict.detail}")
    assert not wrong
    assert equal >= NETWORKS * 17 // 20  # TFLite Micro dies of a SOFTMAX behind layers that are all dead
    assert operators >= (_ALL if SOAK else _COMMON)


def test_networks_of_keras_have_either_batch_and_activations_integers_and_floats_and_pruned_channels(keras_networks):
    made = [each for file in keras_networks.glob("*.json") for each in json.loads(file.read_text()).values()]
    assert len(made) == NETWORKS
    facts = {"batch": {"open", "fixed"}, "pruned": {True, False}, "activations": {"int8", "int16"}}
    for fact, values in facts.items():
        assert {network[fact] for network in made} == values, fact
    assert {"int8", "float32"} <= {network["ends"] for network in made}


def _is_excused(detail):
    """Whether a refusal is of what a converter left in floats, or of sums that leave TFLite Micro's own 32 bits."""
    reach = re.search(r"accumulators reach (\d+)", detail)
    return "this is a float model" in detail or reach is not None and int(reach[1]) >= 1 << 31


def _runs(micro, content):
    """Whether TFLite Micro runs a model, on inputs of zeros."""
    graph = flatbuffer.read(content, "network").main
    sizes = [graph.tensors[index] for index in graph.inputs]
    given = b"".join(bytes(-(-t.elements * (4 if t.type == "float32" else 1) // 4) * 4) for t in sizes)
    try:
        micro.run(content, [given])
    except KittiwakeError:
        return False
    return True
