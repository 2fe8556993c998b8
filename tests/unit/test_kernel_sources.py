"""Kernels in assembler: the modules are what their sources assemble to, none is stale, and no passage stands twice."""

import re
import shutil
from collections import defaultdict

import pytest

import kittiwake.errors
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import mpy
from tools.assemble import machine_code, project, source
from tools.assemble.instruction_sets import SETS

COMPILERS = ("arm-none-eabi-gcc", "riscv64-unknown-elf-gcc")
XTENSA = "xtensa-lx106-elf-gcc"
FOLDER = project.ROOT / project.SOURCES
TEXTS = sorted(path for path in FOLDER.rglob("*") if path.suffix in (".S", ".h"))
ALL = {item.module: item for item in project.sources()}
INLINE = [module for module, item in ALL.items() if not item.instruction_set.arch]
PASSAGE = 10


def lines_of_code(text):
    """Normalise a source: its lines without comments and indentation, single spaces, none blank."""
    lines = (" ".join(re.sub(r"//.*", "", line).split()) for line in text.splitlines())
    return [line for line in lines if line]


def doubled_passages(texts):
    """Name the places of every passage of ten lines that stands more than once: name of a text -> its content."""
    places = defaultdict(list)
    for name, text in texts.items():
        lines = lines_of_code(text)
        for at in range(len(lines) - PASSAGE + 1):
            places[tuple(lines[at : at + PASSAGE])].append(f"{name}: {lines[at]}")
    return [found for found in places.values() if len(found) > 1]


@pytest.fixture
def checkout(tmp_path):
    """A copy of what the check for stale modules reads."""
    for folder in (project.SOURCES, project.MODULES):
        shutil.copytree(project.ROOT / folder, tmp_path / folder)
    assert project.stale(tmp_path) == []
    return tmp_path


@pytest.mark.needs(*COMPILERS)
@pytest.mark.parametrize("module", INLINE)
def test_kernel_module_is_what_its_source_assembles_to(module):
    assert project.module_path(ALL[module]).read_bytes() == project.make(ALL[module])


@pytest.mark.needs(XTENSA)
@pytest.mark.parametrize("module", [module for module in ALL if module not in INLINE])
def test_native_kernel_module_is_what_its_source_assembles_to(module, request):
    refuse_or_skip(request.config, "qemu:xtensa")
    assert project.module_path(ALL[module]).read_bytes() == project.make(ALL[module])


@pytest.mark.needs(*COMPILERS, XTENSA)
@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("xtensa_zscore", "    subx2 t0, value, t0 ", "    subx4 t0, value, t0 "),
        ("thumb2_zscore", "    sub value, value, sum ", "    add value, value, sum "),
        ("dsp_conv", "    by_one r7\n", "    by_one r6\n"),
        ("rv32_wide", "    update_wide_variance s2\n", "    update_wide_variance s3\n"),
    ],
)
def test_kernel_source_with_another_instruction_makes_another_module(checkout, module, right, wrong, request):
    refuse_or_skip(request.config, "qemu:xtensa")
    path = checkout / ALL[module].path.relative_to(project.ROOT)
    text = path.read_text()
    assert text.count(right) == 1
    path.write_text(text.replace(right, wrong))
    item = next(item for item in project.sources(checkout) if item.module == module)
    before, after = machine_code.assemble(ALL[module]), machine_code.assemble(item)
    assert [name for name in before if before[name] != after[name]] == [item.functions[0].name]


@pytest.mark.needs(*COMPILERS)
def test_kernel_for_the_dsp_extension_does_not_assemble_without_it():
    without = next(kind for kind in SETS if kind.name == "thumb2")
    with pytest.raises(source.SourceError, match="selected processor does not support `smlad"):
        machine_code.assemble(ALL["dsp_conv"]._replace(instruction_set=without))


@pytest.mark.needs(*COMPILERS)
def test_kernel_source_with_a_mistake_is_refused_with_its_line(checkout):
    path = checkout / project.SOURCES / "rv32/ring.S"
    path.write_text(path.read_text().replace("sh t4, 0(next_slot)", "shh t4, 0(next_slot)"))
    item = next(item for item in project.sources(checkout) if item.module == "rv32_ring")
    with pytest.raises(source.SourceError, match=r"ring.S:\d+: Error: unrecognized opcode `shh"):
        project.make(item)


def test_kernel_modules_are_not_stale():
    assert project.stale() == []


def test_every_instruction_set_has_kernels_with_declared_functions():
    modules = defaultdict(list)
    for item in ALL.values():
        modules[item.instruction_set.name].append(item.path.stem)
        if item.module in INLINE:
            text = project.module_path(item).read_text()
            assert re.findall(r"^def (\w+)\(", text, re.MULTILINE) == [function.name for function in item.functions]
    counts = {name: len(stages) for name, stages in modules.items()}
    assert counts == {"thumb2": 13, "dsp": 1, "rv32": 13, "xtensa": 12}


def test_kernel_source_that_changed_makes_its_module_stale(checkout):
    path = checkout / project.SOURCES / "rv32/drift.S"
    path.write_text(path.read_text() + "\n")
    assert project.stale(checkout) == ["rv32_drift.py is older than firmware/assembler/rv32/drift.S"]


def test_included_file_that_changed_makes_all_its_modules_stale(checkout):
    path = checkout / project.SOURCES / "thumb2/rolling.h"
    path.write_text(path.read_text().replace("#define window r7", "#define window r6"))
    assert [problem.split()[0] for problem in project.stale(checkout)] == [
        "thumb2_lagged.py",
        "thumb2_wide.py",
        "thumb2_zscore.py",
    ]


@pytest.mark.parametrize(
    ("right", "wrong"), [("0xE92D", "0xE92C"), ("# As plain", "# Like plain"), ("Generated from", "Made from")]
)
def test_kernel_module_that_was_changed_by_hand_is_stale(checkout, right, wrong):
    path = checkout / project.MODULES / "thumb2_mel.py"
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong, 1))
    assert project.stale(checkout) == ["thumb2_mel.py was changed by hand"]


def test_kernel_module_without_a_digest_is_stale(checkout):
    path = checkout / project.MODULES / "thumb2_mel.py"
    path.write_text(path.read_text().replace("Source: ", "Sources: "))
    assert project.stale(checkout) == ["thumb2_mel.py is older than firmware/assembler/thumb2/mel.S"]


def test_native_kernel_module_that_was_changed_by_hand_or_is_not_on_record_is_stale(checkout):
    path = checkout / project.MODULES / "xtensa_zscore.mpy"
    made = path.read_bytes()
    path.write_bytes(made[:-1] + bytes([made[-1] ^ 1]))
    assert project.stale(checkout) == ["xtensa_zscore.mpy was changed by hand"]
    path.write_bytes(made)
    record = checkout / project.SOURCES / "xtensa/modules.txt"
    record.write_text(record.read_text().replace("xtensa_zscore", "xtensa_score"))
    assert project.stale(checkout) == ["xtensa_zscore.mpy is older than firmware/assembler/xtensa/zscore.S"]


def test_kernel_module_that_is_missing_or_without_a_source_is_stale(checkout):
    (checkout / project.MODULES / "dsp_conv.py").rename(checkout / project.MODULES / "dsp_pool.py")
    assert project.stale(checkout) == ["dsp_conv.py is missing", "dsp_pool.py has no source in firmware/assembler/dsp"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kernel find, arguments=3\n", "the first line has to be a comment"),
        ("// A kernel.\nfind:\n", "no line `kernel NAME, arguments=N`"),
        ("// A kernel.\n\nkernel find, arguments=3\n", "no comment right above find"),
    ],
)
def test_kernel_source_out_of_form_is_refused(tmp_path, text, reason):
    path = tmp_path / "a.S"
    path.write_text(text)
    with pytest.raises(source.SourceError, match=reason):
        source.read(path, tmp_path, SETS[0])


def test_kernel_source_that_includes_what_is_not_there_is_refused(tmp_path):
    path = tmp_path / "a.S"
    path.write_text('// A kernel.\n#include "b.h"\n\n// As plain_a.find.\nkernel find, arguments=3\n')
    with pytest.raises(source.SourceError, match="b.h is not there"):
        source.digest(source.read(path, tmp_path, SETS[0]))


def test_kernel_sources_have_no_passage_of_ten_lines_twice():
    assert len(TEXTS) > 30
    assert doubled_passages({str(path.relative_to(FOLDER)): path.read_text() for path in TEXTS}) == []


def test_passage_that_stands_twice_is_found_whatever_its_comments_and_spaces():
    text = (FOLDER / "thumb2/ring.S").read_text()
    lines = text.splitlines(keepends=True)
    start = lines.index("keep_next:\n")
    passage = "".join("  " + line.replace("\n", "  // again\n\n") for line in lines[start : start + PASSAGE])
    assert doubled_passages({"ring.S": text, "other.S": passage}) == [["ring.S: keep_next:", "other.S: keep_next:"]]
    assert doubled_passages({"ring.S": text, "other.S": passage.rpartition("//")[0].rpartition("\n")[0]}) == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_kernel_source_fits_a_reader(path):
    lines = path.read_text().splitlines()
    assert len(lines) < 300
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith("// ")


@pytest.mark.parametrize("module", INLINE)
def test_kernel_modules_have_no_labels(module):
    """Regression: MicroPython's RV32 assembler reads past its table of labels, and may refuse a branch for it."""
    text = project.module_path(ALL[module]).read_text()
    statements = set(re.findall(r"^    (\w+)\(", text, re.MULTILINE))
    assert statements <= {"data", "movw"}
    assert "data" in statements


@pytest.mark.parametrize("module", [module for module in ALL if module.startswith(("thumb2", "dsp"))])
def test_thumb_kernels_are_refused_on_an_armv6m(module):
    text = project.module_path(ALL[module]).read_text()
    functions = text.split("@micropython.asm_thumb\n")
    assert len(functions) - 1 == len(ALL[module].functions)
    for function in functions[1:]:
        with pytest.raises(kittiwake.errors.KittiwakeError, match="does not compile for armv6m"):
            mpy.compile_files({"alone.py": f"{functions[0]}@micropython.asm_thumb\n{function}".encode()}, "armv6m")


def test_layouts_of_states_are_those_of_the_kernels_docstring():
    """Words are four bytes, but those of novelty two."""
    described = (project.ROOT / project.MODULES / "__init__.py").read_text()
    offsets = dict(re.findall(r"^#define (\w+) (\d+)$", (FOLDER / "layout/states.h").read_text(), re.MULTILINE))
    for stage, size in (("zscore", 4), ("summary", 4), ("drift", 4), ("novelty", 2)):
        section = described.split(f"### {stage}: ")[1].split("###")[0]
        words = {name: int(at) for at, name in re.findall(r"(?<![\w.])(\d+) ([A-Z]\w*)\b", section)}
        mine = {name: int(at) for name, at in offsets.items() if name.startswith(f"{stage.upper()}_")}
        assert len(mine) >= 10
        common = {name for name in mine if name.partition("_")[2] in words}
        assert len(common) >= 9
        assert {name: mine[name] // size for name in common} == {name: words[name.partition("_")[2]] for name in common}
