"""The native modules of the kernels for Xtensa: what the loader keeps of them, and what it refuses."""

import pytest

import kittiwake
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import mpy, open_target

NAME = "qemu:xtensa"
MACHINE = "virt with Xtensa LX6"
SUMMARY = "kittiwake_node/kernels/xtensa_summary.mpy"


@pytest.fixture
def board(request):
    refuse_or_skip(request.config, NAME)
    with open_target(NAME) as target:
        yield target


# Outliers in noise by a generator of its own: where they are found by the definition and by the native module.
_DETECT = """
from array import array
from kittiwake_node import kernels
from kittiwake_node.detect.zscore import ZScore

def samples():
    x, made = 1, array("h")
    for i in range(600):
        x = (x * 1103 + 12345) & 0xFFFF
        made.append((x >> 6) + (7000 if i % 97 == 96 else 0))
    return made

def found(kernel):
    z, data, at, places = ZScore(kernels.load(kernel), n=64, p=9, q=2), samples(), 0, []
    while at < len(data):
        at = z.find(data, at, len(data))
        if at < len(data):
            places.append(at)
        at += 1
    return places, z.sum, z.sum_sq
"""


def answers(target):
    """What the definition and the native module find."""
    return eval(target.exec(f"{_DETECT}print([found('plain'), found('xtensa')])", 60))


def test_native_kernel_finds_what_the_definition_finds(board):
    plain, native = answers(board)
    assert plain == native and len(plain[0]) >= 5


_COLLECT = """
import gc
found("xtensa")
def littered():
    for size in range(8, 2000, 24):
        bytearray(b"\\xff" * size)
answers = set()
for _ in range(12):
    gc.collect()
    littered()
    places, *sums = found("xtensa")
    answers.add((tuple(places), tuple(sums)))
    gc.collect()
places, *sums = found("plain")
print(answers == {(tuple(places), tuple(sums))}, len(places))
"""


def test_native_kernel_outlives_every_collection(board):
    """Regression: micropython #6769 and #6592, code and its data were taken for free memory by the collector."""
    board.exec(_DETECT)
    right, count = board.exec(_COLLECT, 120).split()
    assert right == "True" and int(count) >= 5


_CHOOSE = """
from kittiwake_node import kernels
from kittiwake_node.errors import ConfigError
print(kernels.load_or_viper("xtensa").name)
try:
    print(kernels.load("xtensa").name)
except ConfigError as error:
    print(error.code)
"""


def test_native_kernels_of_another_architecture_give_way_to_viper_in_a_node_alone(board):
    assert board.exec(_CHOOSE).split() == ["xtensa", "xtensa"]
    other = mpy.compile_files({"x.py": b"@micropython.viper\ndef feed():\n    pass\n"}, "armv7m")["x.mpy"]
    board.exec(f"with open({SUMMARY!r}, 'wb') as file:\n    file.write({other!r})\n")  # deploy would refuse it
    board.reboot()
    assert board.exec(_CHOOSE).split() == ["viper", "kernel"]


def test_native_kernels_that_are_not_there_give_way_to_viper_in_a_node_alone(request):
    refuse_or_skip(request.config, NAME)
    files = mpy.compile_files(kittiwake.firmware_files(), "xtensawin", MACHINE)
    with open_target(NAME, deploy=False) as target:
        target.deploy({path: content for path, content in files.items() if "xtensa_" not in path})
        assert target.exec(_CHOOSE).split() == ["viper", "kernel"]
