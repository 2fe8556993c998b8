"""Plans in a read-only file system that mpremote laid out: used in place, or read into RAM where they split words."""

import pytest
from mpremote.romfs import VfsRomWriter

from kittiwake.model import wake
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import images, open_target
from tests.support.hil import fastest_kernel

pytest.importorskip("pymicro_wakeword", reason="no wheel of pymicro-wakeword for this machine")

NAME = "qemu:virt"
_RUN = """
from kittiwake_node import kernels
from kittiwake_node.io.model_file import read_plan
from kittiwake_node.network import Network
plan = read_plan("word.kwm")
network = Network(plan, kernels.load({kernel!r}))
features, output = bytes(i * 7 & 255 for i in range(network.header.input_bytes)), bytearray(1)
outputs = []
for _ in range(5):
    network.invoke(features, output)
    outputs.append(output[0])
print(repr((type(plan).__name__, outputs)))
"""


def image(plan, aligned):
    """An image by mpremote with a plan at a multiple of 4, or not at one, behind a file of the length that it takes."""
    for pad in range(8):
        writer = VfsRomWriter()
        writer.mkfile("a", bytes(pad))
        writer.mkfile("word.kwm", plan)
        content = bytes(writer.finalise())
        if (content.index(plan) % 4 == 0) == aligned:
            return content
    raise AssertionError("no length of the file before it moves the plan")


def run(folder, plan, aligned):
    """What the plan was read as, and the outputs of five invokes."""
    (folder / "rom.img").write_bytes(image(plan, aligned))
    address = images.boards()["qemu-virt"].description["memory"]["romfs_address"]
    loader = ["-device", f"loader,file={folder}/rom.img,addr={address:#x},force-raw=on"]
    with open_target(NAME, arguments=loader) as board:
        return eval(board.exec(_RUN.format(kernel=fastest_kernel(board)), 60))


def test_plan_in_an_image_of_mpremotes_gives_the_same_wherever_it_begins(request, tmp_path):
    refuse_or_skip(request.config, NAME)
    plan = wake.compile_word(wake.find("okay_nabu"), "rv32")
    in_place, copied = (run(tmp_path, plan, aligned) for aligned in (True, False))
    assert (in_place[0], copied[0]) == ("memoryview", "bytearray")
    assert in_place[1] == copied[1] and len(in_place[1]) == 5
