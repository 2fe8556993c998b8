"""Parity of compiled models: a board's program, inputs worth trying, and the comparison with TFLite Micro."""

import base64
import binascii
import random
import struct
from importlib import resources

import tflite

from tests.support import spoken

PROGRAM = """
from binascii import a2b_base64, hexlify
from kittiwake_node import kernels
from kittiwake_node.network import Network

def model_load(kernel, text):
    global model, result
    model = Network(a2b_base64(text), kernels.load(kernel))
    result = bytearray(model.header.output_bytes)

def model_run(text):
    data = a2b_base64(text)
    size = model.header.input_bytes
    for i in range(0, len(data), size):
        model.invoke(data[i : i + size], result)
        print(hexlify(result).decode())
"""

BATCH_BYTES = 24_000
WAKE_SCALE, WAKE_ZERO = 0.10196078568696976, -128  # of the wake words' inputs
WAKE_WORDS = ("okay_nabu", "alexa", "hey_jarvis", "hey_mycroft")


def wake_word(name: str) -> bytes:
    """One of the four models in the wheel `pymicro-wakeword`."""
    return (resources.files("pymicro_wakeword") / "models" / f"{name}.tflite").read_bytes()


def inputs(size: int, count: int, seed: int) -> list[bytes]:
    """Bytes to feed: uniform, extremes, quiet with bursts, and slow walks as features make them."""
    rng = random.Random(seed)
    made = [bytes([128]) * size, bytes([127]) * size]
    walk = [rng.randint(-128, 0) for _ in range(size)]
    while len(made) < count:
        shape = rng.randrange(5)
        if shape == 0:
            made.append(rng.randbytes(size))
        elif shape == 1:
            made.append(bytes(rng.choice((127, 128)) for _ in range(size)))
        else:
            walk = [max(-128, min(127, x + rng.randint(-9, 9))) for x in walk]
            made.append(bytes(x & 0xFF for x in walk))
    return made[:count]


def spoken_inputs(count: int, seed: int) -> list[bytes]:
    """Wake words' inputs out of generated sound, through TFLite Micro's own front end."""
    frames = spoken.features(spoken.sound(count * 0.03 + 0.1, seed))
    made = spoken.inputs(frames, WAKE_SCALE, WAKE_ZERO)
    assert len(made) >= count
    return made[:count]


def run(board, kernel: str, plan: bytes, data: list[bytes]) -> list[bytes]:
    """Run a plan on a board over inputs."""
    board.exec(PROGRAM)
    board.exec(f"model_load({kernel!r}, {base64.b64encode(plan).decode()!r})")
    outputs = []
    batch = max(1, BATCH_BYTES // len(data[0]))
    for start in range(0, len(data), batch):
        text = base64.b64encode(b"".join(data[start : start + batch])).decode()
        outputs += [bytes.fromhex(line) for line in board.exec(f"model_run({text!r})").split()]
    return outputs


def with_output(content: bytes, tensor: int) -> bytes:
    """The same model, one of its inner tensors being its output: what a saturating last layer would hide."""
    graph = tflite.Model.GetRootAs(content, 0).Subgraphs(0)
    at = graph._tab.Vector(graph._tab.Offset(8))
    changed = bytearray(content)
    changed[at : at + 4] = struct.pack("<i", tensor)
    return bytes(changed)


def inner_tensors(content: bytes) -> list[int]:
    """The int8 tensors that operators of the first subgraph compute."""
    graph = tflite.Model.GetRootAs(content, 0).Subgraphs(0)
    found = []
    for i in range(graph.OperatorsLength()):
        op = graph.Operators(i)
        for k in range(op.OutputsLength()):
            if graph.Tensors(op.Outputs(k)).Type() == tflite.TensorType.INT8:
                found.append(op.Outputs(k))
    return found


def resealed(plan: bytes) -> bytes:
    """A plan that was changed, its CRC made right again (docs/spec/model-plan.md: over all from byte 16)."""
    return plan[:12] + struct.pack("<I", binascii.crc32(plan[16:])) + plan[16:]


_PIECES = """
import gc

def model_begin(size):
    global model, result, blob
    model = result = blob = None
    gc.collect()
    blob = bytearray(size)

def model_piece(at, text):
    data = a2b_base64(text)
    blob[at : at + len(data)] = data

def model_ready(kernel):
    global model, result
    model = Network(blob, kernels.load(kernel))
    result = bytearray(model.header.output_bytes)
"""


def run_small(board, kernel: str, plan: bytes, data: list[bytes]) -> list[bytes]:
    """Run a plan on a board with little memory: plan and inputs go there in pieces."""
    board.exec(PROGRAM + _PIECES)
    board.exec(f"model_begin({len(plan)})")
    for at in range(0, len(plan), 3000):
        board.exec(f"model_piece({at}, {base64.b64encode(plan[at : at + 3000]).decode()!r})")
    board.exec(f"model_ready({kernel!r})")
    outputs = []
    for start in range(len(data)):
        line = board.exec(f"model_run({base64.b64encode(data[start]).decode()!r})", 60)
        outputs.append(bytes.fromhex(line.strip()))
    return outputs
