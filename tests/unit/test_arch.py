"""The table of architectures and kernels: what the firmware has, what boards say they are, and what runs where."""

from typing import get_args

import pytest

from kittiwake.boards import arch, description
from kittiwake.model import compiler
from kittiwake_node import kernels


def test_architectures_have_every_kernel_set_of_the_firmware():
    assert set(kernels.SETS) == {"plain", "viper", *arch.ASSEMBLERS} == set(compiler.WEIGHT_LAYOUT_OF)
    assert set(arch.FOR_NETWORKS) | set(arch.FOR_NETWORKS.values()) <= set(arch.ASSEMBLERS)


def test_architectures_are_known_by_name():
    named = set(get_args(description.Arch)) | {name for archs in arch.ASSEMBLERS.values() for name in archs}
    assert named | set(arch.CORTEX_M) | set(arch.CORES.values()) <= set(arch.NAMES)


@pytest.mark.parametrize("name", sorted({name for name in arch.NAMES if name}))
def test_every_kernel_for_networks_is_for_the_architecture(name):
    fastest = arch.fastest_for_networks(name)
    assert fastest == "viper" or name in arch.ASSEMBLERS[fastest]


@pytest.mark.parametrize(
    ("name", "detectors", "networks"),
    [
        ("armv6m", "viper", "viper"),
        ("armv7m", "thumb2", "thumb2"),
        ("armv7emsp", "thumb2", "dsp"),
        ("rv32imc", "rv32", "rv32"),
        ("xtensawin", "viper", "viper"),  # an ESP32-S2 says the same
        (None, "viper", "viper"),
    ],
)
def test_fastest_kernels(name, detectors, networks):
    assert (arch.kernels_of(name)[-1], arch.fastest_for_networks(name)) == (detectors, networks)


@pytest.mark.parametrize(
    ("machine", "kernels"),
    [
        ("Generic ESP32 module with ESP32", "xtensa"),
        ("Generic ESP32 module with SPIRAM with ESP32", "xtensa"),
        ("Generic ESP32 module with ESP32-UNICORE", "xtensa"),
        ("TinyPICO with ESP32-PICO-D4", "xtensa"),
        ("Generic ESP32S3 module with Octal-SPIRAM with ESP32-S3", "xtensa"),
        ("TinyS3 with ESP32-S3-FN8", "xtensa"),
        ("virt with Xtensa LX6", "xtensa"),
        ("ESP32-S3", "xtensa"),
        ("Generic ESP32S2 module with ESP32-S2", "viper"),
        ("FeatherS2 Neo with ESP32-S2FN4R2", "viper"),
        ("ESP32-S2", "viper"),
        ("Generic ESP32S9 module with ESP32-S9", "viper"),
        ("a board with ESP32 in its name with ESP32-X1", "viper"),
        ("ESP32 clone", "viper"),
        ("", "viper"),
    ],
)
def test_fastest_kernels_of_xtensawin_are_chosen_by_chip(machine, kernels):
    assert arch.kernels_of("xtensawin", machine)[-1] == arch.fastest_for_networks("xtensawin", machine) == kernels
    assert arch.kernels_of("xtensa", machine) == ["plain", "viper"]  # the ESP8266's architecture


def test_architecture_of_a_board_that_says_its_number():
    assert [arch.name_of(number << 10 | 6) for number in (0, 2, 7, 11, 15)] == ["", "x64", "armv7emsp", "rv32imc", None]
