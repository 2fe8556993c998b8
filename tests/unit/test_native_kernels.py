"""Kernels as native modules: nothing for the loader to relocate, instructions of both chips, and in every wheel."""

import os
import re
import subprocess
import sys
import zipfile

import pytest

import kittiwake
from kittiwake.deploy import choose, inputs
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import images, mpy
from tests.support.assembled import changed_checkout
from tests.support.repository import ROOT
from tools.assemble import machine_code, project

MODULES = {item.module: item for item in project.sources() if item.instruction_set.name == "xtensa"}
ESP32, ESP32_S3 = "Generic ESP32 module with ESP32", "Generic ESP32S3 module with ESP32-S3"
ESP32_S2 = "Generic ESP32S2 module with ESP32-S2"
# Xtensa Instruction Set Architecture, core and the options density, windows, loops, MUL16, MUL32, MAC16, MIN/MAX, NSA
# and sign extension: Espressif's core-isa.h has them for the ESP32 and for the ESP32-S3. `ill` fills up to an address.
_WORDS = """
abs add addi addmi addx2 addx4 addx8 and ball bany bbci bbsi beq beqi beqz bge bgei bgeu bgeui bgez blt blti bltu bltui
bltz bnall bne bnei bnez bnone callx8 entry extui ill isync j l16si l16ui l32i l32r l8ui loop loopgtz loopnez max maxu
min minu mov moveqz movgez movi movltz movnez mul16s mul16u mull neg nop nsa nsau or retw s16i s32i s8i sext sll slli
src sra srai srl srli ssai ssl ssr sub subx2 subx4 subx8 wsr.lcount xor
"""
_COMMON = set(_WORDS.split())
_MAC16 = re.compile(
    r"(u?mul|mula|muls)\.(aa|ad|da|dd)\.(ll|lh|hl|hh)(\.ldinc|\.lddec)?|lddec|ldinc|[rw]sr\.(acclo|acchi|m[0-3])"
)


def numbers(content, at, count):
    """Read numbers of a .mpy file: seven bits a byte, the upper first. Gives them and where the next thing is."""
    values = []
    for _ in range(count):
        value = 0
        while True:
            byte = content[at]
            value, at = value << 7 | byte & 0x7F, at + 1
            if byte < 0x80:
                break
        values.append(value)
    return values, at


def functions(content):
    """Machine code of each function of a .mpy file and its flags, after MicroPython's docs/reference/mpyfiles.rst."""
    (names, objects), at = numbers(content, 4, 2)
    assert objects == 1  # the table of the runtime's functions, a byte
    for _ in range(names):
        (length,), at = numbers(content, at, 1)
        at += 0 if length & 1 else (length >> 1) + 1
    (outer,), at = numbers(content, at + 1, 1)
    assert outer & 7 == 4  # bytecode with functions in it
    (count,), at = numbers(content, at + (outer >> 3), 1)
    found = []
    for _ in range(count):
        (length,), at = numbers(content, at, 1)
        code = content[at : at + (length >> 3)]
        (flags,), at = numbers(content, at + len(code), 1)
        found.append((length & 7, code, flags))
    assert at == len(content)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_native_module_has_code_alone_and_nothing_to_relocate(module):
    """So the collector has nothing to keep for it: micropython #6592 and #6769 are of data that only code points to."""
    content = project.module_path(MODULES[module]).read_bytes()
    assert content[:4] == bytes([ord("M"), 6, 10 << 2 | 3, 31])
    found = functions(content)
    assert len(found) == len(MODULES[module].functions)
    for kind, code, flags in found:
        assert (kind, flags) == (2, 0)  # native; without relocations, constants or variables beside the code
        assert len(code) % 4 == 0 and len(code) > 40


def disassembled(item, folder):
    """(address, mnemonic, operands) of a source's instructions, and where its functions begin."""
    facts = images.image(images.boards()["qemu-xtensa"]).facts
    environment = dict(os.environ, XTENSA_GNU_CONFIG=facts["XTENSA_PLUGIN"])
    tools = item.instruction_set.tools
    linked = folder / "linked"
    flags = (*item.instruction_set.flags, "-nostdlib", "-Wl,--section-start=.text=0", "-Wl,--entry=0")
    command = [f"{tools}gcc", *flags, f"-I{item.folder}", "-o", linked, item.path]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    listing = subprocess.run(
        [f"{tools}objdump", "-d", "--no-show-raw-insn", linked],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = re.findall(r"^\s+([0-9a-f]+):\t(\S+)(?:\t(.*))?$", listing, re.MULTILINE)
    starts = {name: int(at, 16) for at, name in re.findall(r"^([0-9a-f]+) <(\w+)>:", listing, re.MULTILINE)}
    return [(int(at, 16), name.removesuffix(".n"), operands) for at, name, operands in rows], starts


@pytest.mark.needs("xtensa-lx106-elf-gcc")
@pytest.mark.parametrize("module", MODULES)
def test_native_kernels_have_instructions_of_both_chips_and_stay_within_themselves(module, request, tmp_path):
    refuse_or_skip(request.config, "qemu:xtensa")
    item = MODULES[module]
    rows, starts = disassembled(item, tmp_path)
    known = [row for row in rows if not row[1].startswith(".")]
    assert len(known) > 60 and {"entry", "retw"} <= {name for _, name, _ in known}
    assert {name for _, name, _ in known if name not in _COMMON and not _MAC16.fullmatch(name)} == set()
    code = machine_code.assemble(item)
    for function in item.functions:
        start = starts[function.name]
        end = start + len(code[function.name].code)
        for at, name, operands in known:
            target = re.search(r"(?:^|, )(?:0x)?([0-9a-f]+) <", operands)
            if start <= at < end and target and name != "movi":
                assert start <= int(target[1], 16) <= end, (function.name, name, operands)


# Instructions whose first operand is read like the others.
_READS_ALL = re.compile(r"s(8|16|32)i|b\w+|loop\w*|ss[rl]|callx8|[wx]sr\..*")
# What a call leaves of the caller's registers a8 to a15: a10 is the result.
_LOST = {"a8", "a9", "a11", "a12", "a13", "a14", "a15"}


def reads_of_what_a_call_took(rows):
    """Instructions that read a register which a call's window covered and nothing wrote since, in the order of rows."""
    lost, found = set(), []
    for at, name, operands in rows:
        registers = re.findall(r"\ba\d+\b", operands or "")
        read = registers if _READS_ALL.fullmatch(name) else registers[1:]
        found += [(hex(at), name, operands) for register in read if register in lost]
        if name == "callx8":
            lost = set(_LOST)
        elif name == "entry":
            lost = set()
        elif not _READS_ALL.fullmatch(name):
            lost -= set(registers[:1])
    return found


@pytest.mark.needs("xtensa-lx106-elf-gcc")
@pytest.mark.parametrize("module", MODULES)
def test_native_kernels_keep_no_value_in_a_callees_window(module, request, tmp_path):
    refuse_or_skip(request.config, "qemu:xtensa")
    rows, _ = disassembled(MODULES[module], tmp_path)
    assert sum(name == "callx8" for _, name, _ in rows) >= 3 * len(MODULES[module].functions)
    assert reads_of_what_a_call_took(rows) == []


@pytest.mark.needs("xtensa-lx106-elf-gcc")
@pytest.mark.parametrize("register", ["a9", "a12", "a15"])
def test_native_kernel_with_a_live_value_in_a_callees_window_is_found(register, request, tmp_path):
    """a12 is the callee's a4; that the runtime's functions of one build leave it alone is no promise."""
    refuse_or_skip(request.config, "qemu:xtensa")
    keep = ("    native_argument a4, 2\n", f"    native_argument {register}, 2\n")
    late = ("    native_argument a2, 0\n", f"    native_argument a2, 0\n    mov a4, {register}\n")
    changed = changed_checkout(tmp_path, "xtensa/macros.h", [keep, late])
    (item,) = (item for item in project.sources(changed) if item.module == "xtensa_zscore")
    rows, _ = disassembled(item, tmp_path)
    ((_, name, operands),) = reads_of_what_a_call_took(rows)
    assert (name, operands) == ("mov", f"a4, {register}") or (name, operands) == ("or", f"a4, {register}, {register}")


def test_native_kernels_go_to_chips_that_run_them_and_viper_to_all():
    names = {f"kittiwake_node/kernels/{module}.mpy" for module in MODULES}
    assert len(names) >= 2
    for machine in (ESP32, ESP32_S3):
        made = mpy.compile_files(kittiwake.firmware_files(), "xtensawin", machine)
        assert names <= set(made) and "kittiwake_node/kernels/viper_zscore.mpy" in made
        mpy.check_fit(made, 10 << 10 | 3 << 8 | 6)
        assert all(made[name] == kittiwake.firmware_files()[name] for name in names)
    for arch, machine in (("xtensawin", ESP32_S2), ("xtensawin", ""), ("armv7m", ""), ("rv32imc", ESP32)):
        made = mpy.compile_files(kittiwake.firmware_files(), arch, machine)
        assert not any("xtensa" in path for path in made) and "kittiwake_node/kernels/viper_zscore.mpy" in made


@pytest.mark.parametrize(
    ("machine", "kernel"),
    [(ESP32, {"kernel": "xtensa"}), (ESP32_S3, {"kernel": "xtensa"}), (ESP32_S2, {}), ("ESP32-P9", {})],
)
def test_deploy_chooses_native_kernels_by_chip(machine, kernel):
    assert inputs.of_chip({"arch": "xtensawin", "cpu": machine}) == kernel
    assert inputs.of_chip({"arch": "rv32imc", "cpu": "ESP32"}) == {}


def test_deploy_leaves_native_kernels_of_audio_out_where_nothing_hears():
    files = {
        f"kittiwake_node/kernels/{name}": b"" for name in ("xtensa_zscore.mpy", "xtensa_conv.mpy", "viper_conv.py")
    }
    kept = choose.files(files, {"channels": [{"kind": "vibration"}]})
    assert set(kept) == {"kittiwake_node/kernels/xtensa_zscore.mpy"}
    assert set(choose.files(files, {"channels": [{"kind": "microphone"}]})) == set(files)


def test_deploy_brings_kernels_of_detection_alone_where_nothing_hears():
    """Regression: the front end's filters went to every board."""
    kept = choose.files(kittiwake.firmware_files(), {"kernel": "thumb2", "channels": [{"kind": "vibration"}]})
    modules = {path.rpartition("/")[2].partition(".")[0] for path in kept if "/kernels/" in path} - {"__init__"}
    detection = {"zscore", "lagged", "wide", "exact", "summary", "drift", "novelty", "ring", "clip"}
    assert {module.partition("_")[2] for module in modules} == detection


_FROM_WHEEL = """
import hashlib, kittiwake
from kittiwake.target import mpy
print(kittiwake.__file__)
made = mpy.compile_files(kittiwake.firmware_files(), "xtensawin", "Generic ESP32 module with ESP32")
for path, content in made.items():
    if "/kernels/xtensa_" in path:
        print(path.rpartition("/")[2], hashlib.sha256(content).hexdigest())
"""


def test_wheel_brings_native_kernels_to_a_machine_without_an_assembler(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {"PATH": "/nowhere", "PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", _FROM_WHEEL], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    place, *made = run.stdout.splitlines()
    assert place.startswith(str(tmp_path / "site"))
    record = (ROOT / project.SOURCES / "xtensa/modules.txt").read_text().split()
    assert sorted(made) == sorted(
        f"{name}.mpy {digest}" for name, digest in zip(record[::3], record[2::3], strict=True)
    )
