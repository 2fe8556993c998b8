"""A board that speaks MQTT itself publishes what the bridge publishes of the same record, byte for byte.

The two are written apart: the board in integers, the bridge with floats, fractions and CPython's json. The cases are
every kind of record, sums that windows have and sums that none has, ties, noise, and odd channel descriptions.
"""

import json
import random
import subprocess
import sys
from fractions import Fraction

import pytest

from kittiwake.publish import publisher
from kittiwake_node.link import anomaly, channel_description, machine_state, payload
from kittiwake_node.link import record as rec
from kittiwake_node.mqtt import figures, publication
from tests.support.hil import SOAK
from tests.support.micropython import FIRMWARE, ROOT, run_text

SEED = 20260901
COUNT = 40_000 if SOAK else 4_000
DEVICE, JOURNAL = "dev-1", 0x0123456789ABCDEF
POLICY = publisher.Policy("plant/a", {"boot": "plant/boots"})
SCALES = (
    "1",
    "1/100",
    "-1/100",
    "0.005",
    "1/3",
    "1e-6",
    "7/9",
    "123456789/1000",
    "1e20",
    "-2.5E-3",
    "0",
    "x",
    "1/0",
    "3.3/4095",
    0.1,
    3,
    -25e-4,
    True,
    None,
    [1],
)
NAMES = ("vibration", "", "a/b+c", "Lüfter °C", "日本", 'say "hi"\\', "tab\there", "x" * 80)
TEXTS = (*NAMES, "\U0001f600")  # MicroPython reads "\\ud83d\\ude00" as two characters: right in a payload, no topic


def layouts(rng):
    if rng.random() < 0.05:
        return rng.choice(("", "{}", "[1, 2]", "[[]]", '[{"scale": 3, "offset": 2}]'))
    channels = [
        {
            "name": rng.choice(NAMES),
            "sensor_id": rng.choice(TEXTS),
            "unit": rng.choice(("mm/s", "°C", "")),
            "scale": rng.choice(SCALES),
            "offset": rng.choice(("0", "-40", "1/7", "1e-3", "-0.005")),
        }
        for _ in range(rng.randrange(1, 3))
    ]
    return json.dumps(channels, ensure_ascii=rng.random() < 0.5)


def window(rng):
    n = rng.choice((1, 2, 5, 20, 256, 1024))
    middle, spread = rng.randrange(-30000, 30000), rng.choice((0, 1, 3, 2000))
    samples = [max(-32768, min(32767, middle + rng.randint(-spread, spread))) for _ in range(n)]
    return samples, sum(samples), sum(x * x for x in samples)


def bodies(rng):
    """A record's type and payload."""
    index = rng.randrange(1 << rng.choice((8, 31, 47)))
    samples, total, squares = window(rng)
    q16 = [rng.randrange(-(1 << 31), 1 << 31) for _ in range(2)]
    flags = rng.randrange(4)
    told = [
        (
            rec.ANOMALY,
            anomaly.pack_anomaly(
                1, flags, len(samples), samples[-1], min(samples), max(samples), total, squares, index, 5, 2
            ),
        ),
        (
            rec.ANOMALY,
            anomaly.pack_levels(
                rng.choice((2, 3)), flags, samples[0], *q16, rng.randrange(1 << 40), index, 3, rng.choice((0, 2))
            ),
        ),
        (
            rec.ANOMALY,
            anomaly.pack_feature(
                flags, rng.randrange(6), len(samples), rng.randrange(1 << 20), abs(total), squares, index, 5, 1
            ),
        ),
        (
            rec.SUMMARY,
            payload.pack_summary(
                len(samples), min(samples), max(samples), 3, total, squares, index, rng.choice((0, 70000))
            ),
        ),
        (rec.SUMMARY, payload.pack_summary(0, 0, 0, 0, 0, 0, index, 0)),
        (rec.READING, payload.pack_reading(samples[0], index)),
        (
            rec.SNAPSHOT,
            payload.pack_snapshot(0, 1, index, b"".join(x.to_bytes(2, "little", signed=True) for x in samples[:99])),
        ),
        (rec.DISTURBANCE, anomaly.pack_disturbance(rng.randrange(6), 4, index, index + 9, 1 << 33, index + 2)),
        (rec.KEYWORD, payload.pack_keyword(rng.randrange(2), "okay_nabu", rng.randrange(1, 9), index & 1023, 9, index)),
        (
            rec.STATE,
            machine_state.pack_state("läuft", rng.choice(("", "on")), index & 255, index, index >> 1),
        ),
        (rec.HEALTH, payload.pack_health(dict.fromkeys(payload.HEALTH_FIELDS, rng.randrange(1 << 32)))),
        (rec.BOOT, payload.pack_boot(3, 12345, 'kittiwake "0.1" °')),
        (rec.TIME, payload.pack_time(rng.randrange(1 << rng.choice((40, 48))))),
        (rec.EVENT, payload.pack_event(7, rng.choice(NAMES))),
        (rng.randrange(12, 256), rng.randbytes(rng.randrange(20))),
    ]
    kind, body = rng.choice(told)
    mangle = rng.random()
    if kind in (rec.BOOT, rec.EVENT):  # their text is the board's own, and whole
        return kind, body if mangle > 0.1 else body[:1]
    if mangle < 0.1:
        body = body[: rng.randrange(len(body) + 1)]
    elif mangle < 0.2:
        body = rng.randbytes(len(body))
    elif mangle < 0.25:
        body += rng.randbytes(3)
    return kind, body


def cases(count, seed=SEED):
    rng = random.Random(seed)
    for seq in range(count):
        kind, body = bodies(rng)
        epoch_ms = rng.choice((0, 1767323044178, rng.randrange(1 << 47)))
        cls = rng.randrange(3) | rng.choice((0, rec.LATE))
        version = 1 if rng.random() < 0.97 else 2
        draft = rec.draft(
            kind, rng.randrange(3), cls, 3, rng.randrange(1 << rng.choice((20, 47))), epoch_ms, 1, body, version
        )
        rec.seal(draft, 0, len(draft), seq)
        yield layouts(rng), bytes(draft)


def published_by_the_bridge(text, raw):
    message = publisher.publication(POLICY, DEVICE, JOURNAL, rec.decode(raw)[0], text.encode())
    return message.topic + "\t" + message.payload.decode()


def published_by_the_board(text, raw):
    board = publication.Publisher(POLICY.base, POLICY.topics, DEVICE, JOURNAL)
    topic, body = board.form(rec.decode(raw)[0], channel_description.read(text.encode(), json.loads))
    return topic + "\t" + body.decode()


def differing(count, seed):
    return [
        i
        for i, case in enumerate(cases(count, seed))
        if published_by_the_board(*case) != published_by_the_bridge(*case)
    ]


def test_publication_on_micropython_is_the_bridges_byte_for_byte(tmp_path):
    told = list(cases(COUNT))
    (tmp_path / "cases").write_text("".join(f"{text}\t{raw.hex()}\n" for text, raw in told), encoding="utf-8")
    arguments = ("tests/parity/publication_run.py", str(FIRMWARE), str(tmp_path / "cases"))
    there = run_text(*arguments).splitlines()
    assert len(there) == len(told) >= 4000
    kinds = set()
    for (text, raw), seen in zip(told, there, strict=True):
        expected = published_by_the_bridge(text, raw)
        assert seen == expected, (text, raw.hex())
        kinds.add((expected.partition("\t")[0] + "//").split("/")[3] or "boots")
    assert kinds >= set(publication.KINDS) - {"boot"} | {"boots"}
    command = [sys.executable, str(ROOT / arguments[0]), *arguments[1:]]
    here = subprocess.run(command, capture_output=True, text=True, check=True)
    assert here.stdout.splitlines() == there


def test_publication_parity_notices_a_figure_rounded_otherwise(monkeypatch):
    assert differing(200, SEED + 1) == []
    monkeypatch.setattr(figures.decimals, "_half_even", lambda n, exponent: (n >> -exponent) + 1)
    assert differing(200, SEED + 1)


@pytest.mark.parametrize("text", ["1/100", "-3/7", "+4", "0.25", "12.", "1e-3", "2.5E+07", "-1e9", "0" * 23 + "1"])
def test_layout_rational_reads_what_fractions_reads(text):
    top, bottom = channel_description.rational(text, None)
    assert Fraction(top, bottom) == Fraction(text)


@pytest.mark.parametrize(
    "text", ["", "-", ".5", "1/", "/2", "1/0", "1//2", "1e", "1e999", "1.2.3", "1 ", "0x10", "1" * 25, None, True, 1.5]
)
def test_layout_rational_of_no_number_is_the_default(text):
    assert channel_description.rational(text, "default") == "default"
