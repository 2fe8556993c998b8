"""What the Xtensa core alone has: loops of its own, register windows, a counter of 32 bits, loads that must be aligned.

In assembler, since no compiler here makes such code; the expected values are computed in Python.
"""

import pytest

from kittiwake.errors import TargetError
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import open_target
from tests.support import xtensa

pytestmark = pytest.mark.needs("xtensa-lx106-elf-gcc")

NAME = "qemu:xtensa"
MASK = 0xFFFFFFFF

# Arguments are objects: a small integer n is n * 2 + 1, and an array keeps the address of its items at 12.
_ITEMS = 12

# f(words, turns, _): a sum by MAC16 and a mix by the ALU, in a loop of the core's own within one by branches.
# words[0] is the mix to begin with and its result; words[1], words[2]: the accumulator.
_WORK = f"""
    entry a1, 32
    l32i a6, a5, 0
    l32i a6, a6, {_ITEMS}
    l32i a7, a5, 4
    srai a7, a7, 1          /* turns of the outer loop */
    l32i a8, a6, 0          /* the mix */
    movi a9, 0
    wsr a9, acclo
    wsr a9, acchi
    movi a10, 100
    movi a13, 1103
1:  loop a10, 2f
    mull a8, a8, a13
    addi a8, a8, 77
    mula.aa.ll a8, a13      /* its lower 16 bits, signed, times 1103 */
    extui a11, a8, 16, 4
    ssr a11
    src a12, a8, a8
    xor a8, a8, a12
2:  addi a7, a7, -1
    bnez a7, 1b
    s32i a8, a6, 0
    rsr a9, acclo
    s32i a9, a6, 4
    rsr a9, acchi
    s32i a9, a6, 8
    movi a2, 1
    retw
"""

# tick(_): an interrupt's work with all that the other function uses, and nothing put back.
_TICK = """
    entry a1, 32
    movi a8, 7
    movi a9, 5
    wsr a9, acclo
    wsr a9, acchi
    wsr a9, m0
    wsr a9, m1
    wsr a9, m2
    wsr a9, m3
    loop a8, 1f
    mula.aa.ll a9, a8
    addi a9, a9, 1
    ssr a9
1:  nop
    movi a2, 1
    retw
"""


@pytest.fixture(scope="module")
def core(request):
    refuse_or_skip(request.config, NAME)
    with open_target(NAME, deploy=False) as target:
        yield target


def install(target, folder, **functions):
    """Make each function, as assembled, importable from a module of its own name."""
    target.deploy(
        {f"x_{name}.mpy": xtensa.module(name, xtensa.assemble(source, folder)) for name, source in functions.items()}
    )
    target.exec("from array import array\nimport kwboard\n")
    for name in functions:
        target.exec(f"import sys\nsys.modules.pop('x_{name}', None)\nfrom x_{name} import {name}\n")


def expected_work(mix, turns):
    """What _WORK computes, from the instructions' definitions."""
    total = 0
    for _ in range(turns * 100):
        mix = (mix * 1103 + 77) & MASK
        half = mix & 0xFFFF
        total += (half - 0x10000 if half & 0x8000 else half) * 1103
        turned = mix >> 16 & 15
        mix ^= mix if turned == 0 else (mix >> turned | mix << (32 - turned)) & MASK
    return mix, total & MASK, total >> 32 & 0xFF


def test_xtensa_loops_and_multiplier_are_as_before_after_every_interrupt(core, tmp_path):
    install(core, tmp_path, work=_WORK, tick=_TICK)
    # All names are there before the first interrupt: a new one can move the table in which it looks for `count`.
    core.exec("count = _ = 0\ndef counted(t):\n    global count\n    count += 1\n    tick(t, 0, 0)\n")
    turns, seed = 200, 0x1234567
    expected = expected_work(seed, turns)
    run = f"words = array('I', ({seed}, 0, 0))\nwork(words, {turns}, 0)\nresults.add(tuple(words))\n"
    core.exec("results = set()\n" + run)
    assert eval(core.exec("print(list(results))")) == [expected]
    # Interrupted at hundreds of places of the loops. How many turns that takes is the host's to say, whose clock it is.
    indented = run.replace("\n", "\n    ")
    repeated = f"for _ in range(10000):\n    if count > 300:\n        break\n    {indented}\n"
    assert core.exec(f"results = set()\nkwboard.tick(counted, 53)\n{repeated}kwboard.tick(None)\n", 60) == ""
    assert eval(core.exec("print(list(results))")) == [expected]
    assert int(core.exec("print(count)")) > 300


# f(words, turns, _): sets the instruction counter to words[0], then turns a loop of two instructions.
_SET_COUNT = f"""
    entry a1, 32
    l32i a6, a5, 0
    l32i a6, a6, {_ITEMS}
    l32i a7, a5, 4
    srai a7, a7, 1
    l32i a8, a6, 0
    wsr a8, icount
    isync
1:  addi a7, a7, -1
    bnez a7, 1b
    movi a2, 1
    retw
"""


def test_xtensa_count_that_runs_over_is_carried_on(core, tmp_path):
    install(core, tmp_path, set_count=_SET_COUNT)
    low, high = 1000, 0xFFFFFF00  # 256 instructions before its end; the loop has 2,000
    code = "print([kwboard.count(set_count, array('I', (n,)), 1000, 0) for n in ({}, {}, {})])"
    first, over, again = eval(core.exec(code.format(low, high, low)))
    assert first == again and 3000 < first < 4000
    assert over - first == high - low


# f(words, _, _): words[1] = r(words[0]), where r(0) = 0 and r(n) = 3 r(n - 1) + n: as many frames as n.
_FRAMES = f"""
    entry a1, 32
    l32i a6, a5, 0
    l32i a6, a6, {_ITEMS}
    l32i a10, a6, 0
    call8 2f
    s32i a10, a6, 4
    movi a2, 1
    retw

    .align 4
2:  entry a1, 32
    beqz a2, 3f
    mov LIVE, a2
    movi a4, 0              /* what any function may do with its own registers */
    movi a5, 0
    addi a10, a2, -1
    call8 2b
    addx2 a2, a10, a10
    add a2, a2, LIVE
3:  retw
"""
_KEPT, _LOST = "a7", ("a12", "a13")  # a callee's window begins at the caller's a8: a12 is its a4, a13 its a5


def mismatches(core, folder, live):
    """How many results of _FRAMES differ from the definition, with the live value in this register."""
    install(core, folder, frames=_FRAMES.replace("LIVE", live))
    depths = (1, 2, 3, 5, 8, 13, 40)  # within the registers, and well beyond
    core.exec("def r(n):\n    words = array('I', (n, 0))\n    frames(words, 0, 0)\n    return words[1]\n")
    results = eval(core.exec(f"print([r(n) for n in {depths}])"))
    expected = []
    for depth in depths:
        value = 0
        for n in range(1, depth + 1):
            value = (3 * value + n) & MASK
        expected.append(value)
    return sum(result != value for result, value in zip(results, expected, strict=True))


def test_xtensa_frames_come_back_from_the_stack(core, tmp_path):
    assert mismatches(core, tmp_path, _KEPT) == 0


@pytest.mark.parametrize("live", _LOST)
def test_xtensa_live_value_in_a_callees_window_is_found(core, tmp_path, live):
    assert mismatches(core, tmp_path, live) > 0


@pytest.mark.parametrize("pointer", ["ptr16", "ptr32"])
def test_xtensa_load_that_is_not_aligned_ends_the_run(pointer, request):
    """So every kernel that a test runs on this core is shown to make none."""
    refuse_or_skip(request.config, NAME)
    code = f"@micropython.viper\ndef load(p: ptr8, at: int) -> int:\n    return {pointer}(uint(p) + at)[0]\n"
    with open_target(NAME, deploy=False) as target:
        target.exec(f"{code}data = bytearray(range(16))\n")
        assert int(target.exec("print(load(data, 4))")) == (0x0504 if pointer == "ptr16" else 0x07060504)
        with pytest.raises(TargetError, match="has ended"):
            target.exec("load(data, 1)")
        assert "fault: cause 00000009" in (target.work_dir / "console.log").read_text(errors="replace")


# f(words, at, _): one access, `at` bytes from the first item on.
_ACCESS = f"""
    entry a1, 32
    l32i a6, a5, 0
    l32i a6, a6, {_ITEMS}
    l32i a7, a5, 4
    srai a7, a7, 1
    add a6, a6, a7
    movi a8, 7
    ACCESS a8, a6, 0
    movi a2, 1
    retw
"""


@pytest.mark.parametrize("access", ["l16ui", "l16si", "l32i", "s16i", "s32i"])
def test_xtensa_access_in_assembler_that_is_not_aligned_ends_the_run(access, request, tmp_path):
    refuse_or_skip(request.config, NAME)
    with open_target(NAME, deploy=False) as target:
        install(target, tmp_path, access=_ACCESS.replace("ACCESS", access))
        target.exec("words = array('I', (1, 2, 3))\naccess(words, 4, 0)\n")
        with pytest.raises(TargetError, match="has ended"):
            target.exec("access(words, 5, 0)")
        assert "fault: cause 00000009" in (target.work_dir / "console.log").read_text(errors="replace")
