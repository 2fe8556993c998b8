"""Verdicts on a device's keywords: what is asked, what is published in which order, and what is acknowledged when."""

import asyncio
import json
from array import array

import pytest

from kittiwake.bridge.confirm.worker import NoScore
from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.settings import ConfirmSection, DeviceSection
from kittiwake.bridge.verdicts import Judges, Verdicts
from kittiwake.publish.publisher import Policy
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from kittiwake_node.link.device_session import DeviceSession
from tests.support import spec
from tests.support.sessions import ListJournal
from tests.unit.test_device_link import Broker, FakePort

SECTION = ConfirmSection(models={"okay_nabu": "/models/large.tflite"}, cutoff=0.6)
AUDIO = array("h", [(31 * i) % 2001 - 1000 for i in range(16000)])
INDEX = 81440
PARTS = 36


class Ears:
    """A worker that hears when it is told to."""

    def __init__(self):
        self.asked = []
        self.answer = asyncio.Event()
        self.score_is = 0.9

    async def score(self, model, output, window, samples, limit_s):
        self.asked.append((model, samples))
        await self.answer.wait()
        if isinstance(self.score_is, Exception):
            raise self.score_is
        return self.score_is


class Bench:
    """One link with verdicts, a device that sends what is added, and a broker. Make it inside a running loop."""

    def __init__(self, window=256):
        self.journal = ListJournal()
        self.ears, self.broker = Ears(), Broker()
        self.judges = Judges(SECTION.rules(), self.ears)
        self.restart(window)

    def restart(self, window=256):
        """The bridge begins anew; the device has what was not acknowledged."""
        self.device = DeviceSession("dev-1", 1, self.journal, lambda op, body, now: (0, b""))
        self.link = DeviceLink(DeviceSection(port="fake", window=window), Policy(), self.broker, judges=self.judges)
        self.link._port = FakePort(self.device)
        self.broker.sent.clear()
        self.exchange()

    def exchange(self):
        for _ in range(500):
            self.link._pump(0)
            frame = self.device.next_output(0)
            if frame is None:
                return
            self.link._take(frame)
        raise AssertionError("the two never come to rest")

    def add(self, kind, body, channel=0):
        seq = self.journal.next_seq
        self.journal.records[seq] = spec.record(type=kind, channel=channel, seq=seq, payload=body)
        self.journal.next_seq += 1
        self.exchange()
        return seq

    def add_word(self, name="okay_nabu", flags=payload.AUDIO, missing=None, channel=0):
        for part in range(PARTS):
            if part != missing and flags:
                samples = AUDIO[448 * part : 448 * part + 448].tobytes()
                self.add(rec.SNAPSHOT, payload.pack_snapshot(part, PARTS, INDEX - 16000 + 448 * part, samples), channel)
        return self.add(rec.KEYWORD, payload.pack_keyword(flags, name, 5, 1200, 1088, INDEX), channel)

    async def confirm_all(self):
        """The broker confirms all that was sent; the device hears of what is acknowledged for it."""
        self.journal.allowed = self.journal.next_seq
        for _, _, token in self.broker.sent:
            token.confirmed()
        await settle()
        self.exchange()

    def bodies(self):
        return [json.loads(text) for text, _, _ in self.broker.sent]


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


def asynchronous(play):
    def test():
        asyncio.run(play())

    test.__name__ = play.__name__
    return test


@asynchronous
async def test_verdict_is_in_the_message_and_nothing_overtakes_it():
    bench = Bench()
    bench.add(rec.EVENT, payload.pack_event(7, "before"))
    word = bench.add_word()
    bench.add(rec.EVENT, payload.pack_event(8, "after"))
    await settle()
    (asked,) = bench.ears.asked
    assert asked == ("/models/large.tflite", AUDIO)
    assert [body["seq"] for body in bench.bodies()] == list(range(word))  # not the keyword, nor what follows
    bench.ears.answer.set()
    await settle()
    assert [body["seq"] for body in bench.bodies()] == list(range(word + 2))
    told = bench.bodies()[word]
    assert (told["keyword"], told["verdict"], told["verdict_score"]) == ("okay_nabu", "confirmed", 0.9)
    assert told["verdict_model"] == "large.tflite"


@asynchronous
async def test_verdict_that_is_waited_for_keeps_its_audio_unacknowledged():
    bench = Bench()
    bench.add(rec.EVENT, payload.pack_event(7, "before"))
    bench.add_word()
    await bench.confirm_all()
    assert bench.journal.acked == 1  # the event before the audio
    bench.ears.answer.set()
    await settle()
    await bench.confirm_all()
    assert bench.journal.acked == bench.journal.next_seq == 38


@asynchronous
async def test_verdict_after_a_restart_of_the_bridge_in_the_middle_is_the_same_message():
    bench = Bench()
    word = bench.add_word()
    await bench.confirm_all()  # the audio is at the broker, and the bridge dies before the verdict
    bench.restart()
    assert [body["seq"] for body in bench.bodies()] == list(range(word))
    bench.ears.answer.set()
    await settle()
    first = bench.broker.sent[word][0]
    bench.restart()  # killed before the broker confirmed it
    await settle()
    assert bench.broker.sent[word][0] == first and json.loads(first)["verdict"] == "confirmed"
    await bench.confirm_all()
    assert bench.journal.acked == word + 1


@pytest.mark.parametrize(
    ("score", "verdict", "told"),
    [
        (0.6, "confirmed", 0.6),
        (0.59999, "rejected", 0.6),
        (0.1, "rejected", 0.1),
        (NoScore("it hangs"), "unchecked", None),
    ],
)
def test_verdict_follows_the_score_and_a_model_that_fails_loses_nothing(score, verdict, told):
    @asynchronous
    async def play():
        bench = Bench()
        bench.ears.score_is = score
        bench.ears.answer.set()
        word = bench.add_word()
        await settle()
        body = bench.bodies()[word]
        assert (body["verdict"], body.get("verdict_score")) == (verdict, told)
        assert bench.judges.counts[verdict] == sum(bench.judges.counts.values()) == 1
        await bench.confirm_all()
        assert bench.journal.acked == word + 1

    play()


@pytest.mark.parametrize(
    "word", [{"missing": 0}, {"missing": 17}, {"missing": 35}, {"flags": 0}, {"missing": 35, "channel": 3}]
)
def test_verdict_without_whole_audio_is_unchecked_at_once(word):
    @asynchronous
    async def play():
        bench = Bench()
        seq = bench.add_word(**word)
        assert not bench.ears.asked and bench.bodies()[seq]["verdict"] == "unchecked"
        await bench.confirm_all()
        assert bench.journal.acked == seq + 1

    play()


@asynchronous
async def test_verdict_is_asked_for_the_words_of_the_settings_only():
    bench = Bench()
    seq = bench.add_word("alexa")
    assert not bench.ears.asked and "verdict" not in bench.bodies()[seq]
    await bench.confirm_all()
    assert bench.journal.acked == seq + 1


@asynchronous
async def test_verdict_in_a_window_too_small_for_the_audio_does_not_stop_the_device():
    bench = Bench(window=8)

    async def acknowledge():
        while bench.journal.acked < bench.journal.next_seq:
            before = bench.journal.acked
            await bench.confirm_all()
            await settle()
            assert bench.journal.acked > before

    bench.ears.answer.set()
    seq = bench.add_word()
    await acknowledge()
    assert [body["verdict"] for body in bench.bodies() if body["seq"] == seq] == ["confirmed"]


def test_verdicts_give_a_sensors_snapshot_back_when_no_keyword_comes():
    now_s = 100.0
    verdicts = Verdicts(Judges(SECTION, None), lambda: 256, lambda: now_s)
    body = payload.pack_snapshot(0, 1, 0, bytes(200))
    record, _ = rec.decode(spec.record(type=rec.SNAPSHOT, seq=7, payload=body))
    assert verdicts.take(record) is None and verdicts.keep_from == 7
    now_s += 11
    assert verdicts.keep_from is None


def test_verdicts_of_a_keyword_that_cannot_be_read_are_none():
    verdicts = Verdicts(Judges(SECTION, None), lambda: 256)
    for kind in (rec.KEYWORD, rec.SNAPSHOT):
        record, _ = rec.decode(spec.record(type=kind, seq=7, payload=b"x"))
        assert verdicts.take(record) is None
    assert verdicts.keep_from is None


def test_verdicts_of_snapshots_that_never_complete_keep_a_second_of_few_channels():
    # Regression: about one byte was kept for each that came.
    verdicts = Verdicts(Judges(SECTION, None), lambda: 256)
    samples = bytes(900)
    for number in range(20000):
        channel, part = number % 256, number // 256
        body = payload.pack_snapshot(part, 65535, 450 * part, samples)
        record, _ = rec.decode(spec.record(type=rec.SNAPSHOT, channel=channel, seq=number, payload=body))
        verdicts.take(record)
    for part in range(1000):
        body = payload.pack_snapshot(part, 65535, 450 * part, samples)
        record, _ = rec.decode(spec.record(type=rec.SNAPSHOT, channel=1, seq=20000 + part, payload=body))
        verdicts.take(record)
    kept = [len(audio._samples) for audio in verdicts._audio.values()]
    assert len(kept) == 8 and max(kept) <= 16000


@asynchronous
async def test_verdicts_of_a_device_that_asks_without_end_are_few_at_a_time():
    bench = Bench()
    words = [bench.add_word(channel=channel) for channel in range(6)]
    await settle()
    assert len(bench.ears.asked) == 4  # of the others nobody is asked: they are unchecked
    bench.ears.answer.set()
    await settle()
    told = [body["verdict"] for body in bench.bodies() if body["seq"] in words]
    assert told == ["confirmed"] * 4 + ["unchecked"] * 2


@asynchronous
async def test_verdict_that_ends_by_an_error_is_counted_and_what_follows_goes_on():
    bench = Bench()
    bench.ears.score_is = KeyError("score")
    bench.ears.answer.set()
    word = bench.add_word()
    bench.add(rec.EVENT, payload.pack_event(8, "after"))
    await settle()
    assert [body["seq"] for body in bench.bodies()] == list(range(word + 2))
    assert bench.link.counts.faults == 1
    await bench.confirm_all()
    assert bench.journal.acked == word + 2


@asynchronous
async def test_verdict_that_comes_after_its_channel_description_was_forgotten_is_published():
    bench = Bench()
    word = bench.add_word()
    await settle()
    for number in range(300):
        bench.link.intake._former.describe(100 + number, b"[]")
    bench.ears.answer.set()
    await settle()
    assert bench.bodies()[word]["verdict"] == "confirmed" and bench.link.counts.faults == 0
