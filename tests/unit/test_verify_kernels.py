"""`kittiwake verify` asks a chip for the fastest kernels that it runs, and for no others."""

import pytest

from kittiwake.verify import compare, suites


class Board:
    """A board that answers no vector; keeps what it was told to run."""

    name = "board"

    def __init__(self, arch, cpu):
        self._facts = {"arch": arch, "cpu": cpu}
        self.ran = []

    def facts(self):
        return self._facts

    def exec(self, code, timeout_s=10.0):
        self.ran.append(code)
        return "viper_zscore plain_zscore\n" if "modules_used))" in code else ""


@pytest.mark.parametrize(
    ("arch", "cpu", "fastest"),
    [
        ("xtensawin", "Generic ESP32 module with ESP32", "xtensa"),
        ("xtensawin", "Generic ESP32S3 module with ESP32-S3", "xtensa"),
        ("xtensawin", "Generic ESP32S2 module with ESP32-S2", "viper"),  # it has no loops and no MAC16: it would crash
        ("rv32imc", "ESP32C3 module with ESP32C3", "rv32"),
        ("armv7em", "PYBv1.1 with STM32F405RG", "thumb2"),
        ("armv6m", "Raspberry Pi Pico with RP2040", "viper"),
        (None, "a machine that says nothing", "viper"),
    ],
)
def test_verify_takes_the_fastest_kernels_of_the_chip(arch, cpu, fastest):
    board = Board(arch, cpu)
    result = compare.verify(board, suites.registered()["zscore"], count=3)
    assert board.ran[0].startswith(f"fastest = {fastest!r}\n")
    assert result.mismatches == 3
    assert result.kernel_sets == ["plain", "viper"]
