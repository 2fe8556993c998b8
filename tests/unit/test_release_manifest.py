"""The manifest of a release: golden bytes by hand from docs/spec/release.md, and whatever else may arrive."""

import hashlib
import random

import pytest

from kittiwake_node.errors import FrameError
from kittiwake_node.update import manifest

DIGEST = bytes(range(32))
GOLDEN = bytes.fromhex(
    "01 00  07 00 00 00  2c 01  01 18  01 1d  01 00"  # form, flags, counter 7, 300 s, 1.24, 1.29, one build, 0
    "03 31 2e 34  02 68 69"  # "1.4", "hi"
    "07 72 76 33 32 69 6d 63"  # "rv32imc"
    "0a 52 56 33 32 49 4d 41 43 0a 58"  # "RV32IMAC\nX"
    "02 00  00 01 00 00  60 00 00 00"  # 2 files, 256 bytes, a table of 96
) + DIGEST  # fmt: skip


def test_head_reads_as_the_specification_says():
    head = manifest.read_head(GOLDEN)
    assert (head.flags, head.counter, head.trial_s) == (0, 7, 300)
    assert (head.oldest, head.newest, head.version, head.notes) == ((1, 24), (1, 29), "1.4", "hi")
    (build,) = head.builds
    assert (build.arch, build.chips) == ("rv32imc", ("RV32IMAC", "X"))
    assert (build.files, build.size_bytes, build.table_bytes, build.digest) == (2, 256, 96, DIGEST)
    assert manifest.pack_head(head) == GOLDEN


def test_head_cut_off_anywhere_or_with_more_behind_it_is_refused():
    for size in range(len(GOLDEN)):
        with pytest.raises(FrameError):
            manifest.read_head(GOLDEN[:size])
    with pytest.raises(FrameError, match="too many"):
        manifest.read_head(GOLDEN + b"\x00")


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, 0), (0, 2), (1, 0x80), (2, 0), (6, 0), (12, 0), (12, 17), (13, 1), (14, 0), (46, 0xFF), (40, 0), (45, 1)],
)
def test_head_with_a_field_out_of_its_range_is_refused(at, value):
    raw = bytearray(GOLDEN)
    raw[at : at + 1] = bytes([value])
    if at == 6:
        raw[7] = 0
    with pytest.raises(FrameError):
        manifest.read_head(bytes(raw))


def test_garbage_is_no_head_and_raises_nothing_else():
    rng = random.Random(5)
    taken = 0
    for _ in range(5000):
        raw = bytearray(GOLDEN)
        for _ in range(rng.randrange(1, 4)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        for piece in (bytes(raw), rng.randbytes(rng.randrange(700))):
            try:
                head = manifest.read_head(piece)
            except FrameError:
                continue
            taken += 1
            assert head.counter and head.builds and head.version
    assert 0 < taken < 5000


def test_entry_reads_as_the_specification_says():
    raw = b"\x2c\x01\x00\x00" + DIGEST + b"\x09node.json"
    assert manifest.read_entry(b"xx" + raw, 2) == ("node.json", 300, DIGEST, 2 + len(raw))
    assert manifest.pack_entry("node.json", 300, DIGEST) == raw
    for size in range(len(raw)):
        with pytest.raises(FrameError):
            manifest.read_entry(raw[:size], 0)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/a", "a/", "a//b", ".", "..", "../main.py", "a/../b", "a/./b", ".a", "a/.b", "ready", "trial"),
        *(
            "tried",
            "head",
            "table",
            "template.json",
            "ready/a",
            "a\\b",
            "a b",
            "a\x00",
            "\u00e4",
            "a" * 81,
            "a/b/c/d/e",
        ),
    ],
)
def test_path_outside_the_slot_or_of_a_mark_is_refused(path):
    raw = path.encode()
    entry = b"\x01\x00\x00\x00" + DIGEST + bytes([len(raw)]) + raw
    with pytest.raises(FrameError, match="path"):
        manifest.read_entry(entry, 0)


@pytest.mark.parametrize("path", ["a", "node.json", "kittiwake_node/io/net/tcp.mpy", "kittiwake_node/ready", "a" * 80])
def test_path_within_the_slot_is_taken(path):
    assert manifest.is_path(path.encode())


@pytest.mark.parametrize(
    ("arch", "machine", "wanted"),
    [
        ("armv7m", "Kittiwake emulated board with Cortex-M3", 0),
        ("armv7m", "Other with STM32F205", 1),
        ("armv7em", "PYBv1.1 with STM32F405RG", 1),
        ("armv6m", "Pico with RP2040", manifest.NO_BUILD),
        ("xtensawin", "Generic ESP32 module with ESP32", 2),
        ("xtensawin", "Generic ESP32S2 module with ESP32S2", manifest.NO_BUILD),
        ("x64", "linux [GCC 14] version", manifest.NO_BUILD),
        ("", "", manifest.NO_BUILD),
    ],
)
def test_board_takes_the_first_build_that_it_runs(arch, machine, wanted):
    builds = [
        manifest.Build("armv7m", ("Cortex-M3",), 1, 1, 50, DIGEST),
        manifest.Build("armv7m", (), 1, 1, 50, DIGEST),
        manifest.Build("xtensawin", ("ESP32", "ESP32-S3"), 1, 1, 50, DIGEST),
    ]
    head = manifest.Head(0, 1, 60, (1, 24), (1, 29), "1", "", builds)
    assert head.build_for(arch, machine) == wanted


def test_head_that_is_too_long_is_not_packed():
    builds = [manifest.Build("x64", (), 1, 1, 50, hashlib.sha256().digest()) for _ in range(13)]
    with pytest.raises(FrameError, match="head"):
        manifest.pack_head(manifest.Head(0, 1, 60, (1, 24), (1, 29), "1", "", builds))
    with pytest.raises(FrameError, match="text"):
        manifest.pack_head(manifest.Head(0, 1, 60, (1, 24), (1, 29), "1" * 256, "", builds[:1]))
