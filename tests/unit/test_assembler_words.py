"""Instructions given as words are what their comments say: the comments, assembled by GNU as, give the same words."""

import re
import subprocess
from pathlib import Path

import pytest

KERNELS = Path(__file__).resolve().parents[2] / "firmware/kittiwake_node/kernels"
_WORD = re.compile(r"^\s*data\(2, (?P<words>0x[0-9A-F]{4}(?:, 0x[0-9A-F]{4})?)\)  # (?P<source>[^;]+)")


def words_and_sources(text: str) -> list[tuple[list[int], str]]:
    """Part each data line into its halfwords and the instruction beside it; a line without one is an error."""
    found = []
    for line in text.splitlines():
        if line.strip().startswith("data("):
            match = _WORD.match(line)
            assert match, f"no instruction beside {line.strip()}"
            found.append(([int(word, 16) for word in match["words"].split(", ")], match["source"].strip()))
    return found


def assemble(sources: list[str], folder: Path) -> list[list[int]]:
    """Assemble each instruction for ARMv7-M; returns its halfwords."""
    source, binary = folder / "words.s", folder / "words.o"
    source.write_text(".syntax unified\n.cpu cortex-m3\n.thumb\n" + "\n".join(sources) + "\n")
    subprocess.run(["arm-none-eabi-as", "-o", binary, source], check=True)
    listing = subprocess.run(["arm-none-eabi-objdump", "-d", binary], check=True, capture_output=True, text=True).stdout
    lines = re.findall(r"^\s*[0-9a-f]+:\t([0-9a-f]{4}(?: [0-9a-f]{4})?)\s*\t", listing, re.MULTILINE)
    return [[int(word, 16) for word in line.split()] for line in lines]


@pytest.mark.needs("arm-none-eabi-gcc")
@pytest.mark.parametrize("path", sorted(KERNELS.glob("thumb2_*.py")), ids=lambda path: path.stem)
def test_assembler_words_are_their_comments(path, tmp_path):
    lines = words_and_sources(path.read_text())
    assert len(lines) > 20
    assert assemble([source for _, source in lines], tmp_path) == [words for words, _ in lines]


@pytest.mark.needs("arm-none-eabi-gcc")
def test_assembler_words_that_are_wrong_are_found(tmp_path):
    lines = words_and_sources("    data(2, 0xFB80, 0x0A00)  # smull r0, r10, r0, r1; D\n")
    assert assemble([source for _, source in lines], tmp_path) != [words for words, _ in lines]


def test_kernel_files_for_thumb2_exist():
    assert len(list(KERNELS.glob("thumb2_*.py"))) >= 2


@pytest.mark.parametrize("path", sorted(KERNELS.glob("rv32_*.py")), ids=lambda path: path.stem)
def test_labels_of_rv32_kernels_are_no_multiple_of_four(path):
    """MicroPython 1.25 reads past its table of labels, which ends in zeros only then."""
    functions = path.read_text().split("@micropython.asm_rv32")[1:]
    assert functions
    for function in functions:
        labels = re.findall(r"^\s*label\((\w+)\)", function, re.MULTILINE)
        assert len(set(labels)) == len(labels) > 0
        assert len(labels) % 4
