"""Networks on images on boards: in strips, with the RAM that is said; of 96 x 96, made here and published ones."""

import json

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler, inform, strip_candidates
from kittiwake.model.run import check, on_target, oracle
from kittiwake.target import open_target
from tests.hil.test_models import kernels_of
from tests.parity import models
from tests.support import image_networks, network_tally
from tests.support.hil import SOAK
from tests.support.tflite_graphs import from_graph

PUBLISHED = ("vww_96_int8.tflite", "person_detect.tflite")


# What loading asks for; and what a second model takes of the heap, beside the first, which has imported its kernels.
_LOAD_COUNTED = """
import gc
from kittiwake_node import kernels, network
from kittiwake_node.io import model_file

def load_counted(name, kernel):
    global _counted
    asked = []
    def counted(size):
        asked.append(size)
        return bytearray(size)
    plan, found = model_file.read_plan(name), kernels.load(kernel)
    network.bytearray = counted
    try:
        _counted = [network.Network(plan, found)]
    finally:
        del network.bytearray
    gc.collect()
    before = gc.mem_alloc()
    _counted.append(network.Network(plan, found))
    gc.collect()
    print(asked, gc.mem_alloc() - before)
    _counted = None
"""
_OBJECTS = 1024  # bytes that a model takes besides, whatever it has of steps
SIDE = 32


@pytest.mark.timeout(300)
def test_network_in_strips_on_a_board_equals_tflite_micro_and_takes_the_ram_that_info_says(board):
    graph = image_networks.first_layers_large(SIDE)
    content = from_graph(graph)
    scores = models.with_output(content, models.inner_tensors(content)[-2])
    data = models.inputs(SIDE * SIDE, 4, 3)
    with oracle.Oracle() as micro:
        expected, _ = micro.run(scores, data)
    assert len(set(expected)) == len(data)
    for kernel in kernels_of(board)[0 if SOAK else -1 :]:
        board.reboot()
        compiled = compiler.compile_model(scores, kernel)
        assert compiled.tiling.cuts
        loaded = on_target.load(board, compiled.plan, kernel)
        assert on_target.invoke(board, data) == expected, kernel
        network_tally.add(board.name, kernel, "strips", len(data))
        board.reboot()
        board.exec(_LOAD_COUNTED)
        asked, taken = board.exec(f"load_counted({loaded.plan_name!r}, {kernel!r})", 60).rsplit(None, 1)
        ram = inform.facts(compiled)["total"]["ram_bytes"]
        assert sum(json.loads(asked)) == ram, kernel
        if board.name != "unix":  # whose objects are of 64 bits
            most = ram + strip_candidates.STEP_BYTES * len(compiled.program.steps) + _OBJECTS
            assert ram <= int(taken) <= most, kernel


def assert_equals_tflite_micro(name, contents, invokes):
    """The plan lies in flash: with the RAM that it takes, it would not fit the heap."""
    with open_target(name) as board, oracle.Oracle() as micro:
        kernel = kernels_of(board)[-1]
        for content in contents:
            compiled = compiler.compile_model(content, kernel)
            assert len(compiled.plan) > 200_000
            data = check.inputs_of(compiled.program.inputs, compiled.graph, invokes)
            loaded = on_target.load(board, compiled.plan, kernel)
            assert loaded.heap_bytes < len(compiled.plan)
            expected, _ = micro.run(content, data)
            assert on_target.invoke(board, data) == expected
            network_tally.add(board.name, kernel, "images", len(data))
        assert len(set(expected)) > 1


@pytest.mark.timeout(300)
@pytest.mark.board("qemu:mps2-an386")
def test_network_on_images_on_a_board_equals_tflite_micro(target_name):
    """By the scores before the SOFTMAX, of three colours; in soak of one, too."""
    made = [from_graph(image_networks.mobilenet(colours)) for colours in ((1, 3) if SOAK else (3,))]
    assert_equals_tflite_micro(target_name, [models.with_output(m, models.inner_tensors(m)[-2]) for m in made], 3)


@pytest.mark.timeout(300)
@pytest.mark.board("qemu:mps2-an386")
@pytest.mark.parametrize("file", PUBLISHED)
def test_published_network_on_images_on_a_board_equals_tflite_micro(target_name, file, data_dir):
    found = sorted(data_dir.rglob(file))
    if not found:
        pytest.skip(f"KITTIWAKE_DATA is not set to the folder of recordings and {file}")
    assert_equals_tflite_micro(target_name, [found[0].read_bytes()], 4)
