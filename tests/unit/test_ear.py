"""A microphone's channel: words to records, the second of audio before them, and how the microphone is."""

from array import array

import pytest

from kittiwake_node import kernels
from kittiwake_node.config import check
from kittiwake_node.detect.clip import Clip
from kittiwake_node.detect.summary import Summary
from kittiwake_node.errors import ConfigError
from kittiwake_node.io.source import Source
from kittiwake_node.link import payload, record
from kittiwake_node.speech import meter
from kittiwake_node.speech.ear import Ear
from kittiwake_node.speech.hearing import Hearing
from kittiwake_node.speech.keyword import Keyword
from kittiwake_node.speech.last_second import LastSecond
from tests.support.fake_clock import FakeClock
from tests.unit.test_hearing import Frontend, Network, Note

KERNEL = kernels.load("plain")


class ListSource(Source):
    def __init__(self, samples, piece=481):
        super().__init__()
        self._samples, self._piece = samples, piece

    def read_into(self, buf):
        part = self._samples[self.count : self.count + min(len(buf), self._piece)]
        buf[: len(part)] = part
        self.count += len(part)
        self.ended = not part
        return len(part)

    def time_ms(self, index):
        return index // 16


class Stage:
    """An ear, and what it said."""

    def __init__(self, samples, audio=False, piece=481, words=1, limit=1000):
        settings = {"kind": "microphone", "hear": {"audio": audio}, "summary_samples": 32000}
        config = check({"channels": [settings]})["channels"][0]
        self.records, self.order, self.told = [], [], []
        self.clock = FakeClock(step_us=700)
        busy = []
        spoken = [Keyword(Note(f"w{i}", limit=limit), Network(busy), 2000) for i in range(words)]
        hearing = Hearing(KERNEL, Frontend(), spoken)
        last = LastSecond(KERNEL) if audio else None
        self.source = ListSource(samples, piece)
        self.ear = Ear(
            0, config, self.source, Summary(KERNEL), Clip(KERNEL, -32768, 32767), hearing, last, self.clock, self
        )

    def emit(self, kind, number, cls, time_ms, body):
        self.records.append((kind, cls, time_ms, body))

    def commit(self, cls):
        self.order.append((cls, len(self.records)))

    def on_microphone(self):
        self.told.append(self.ear.meter.state)

    def run(self):
        while not self.ear.ended:
            self.ear.step()
        return self

    def of(self, kind, unpack):
        return [unpack(body) for k, _, _, body in self.records if k == kind]


def loud(count, seed=0):
    return array("h", [300 + (i * 31 + seed) % 7 for i in range(count)])


@pytest.mark.parametrize("piece", [1, 160, 481])
def test_word_becomes_a_record_with_its_name_sum_and_place(piece):
    stage = Stage(loud(16000 * 3), piece=piece).run()
    (heard,) = stage.of(record.KEYWORD, payload.unpack_keyword)[:1]
    # Five outputs of three frames each; the first frame ends at sample 480.
    assert heard["index"] == 480 + 160 * 14
    assert heard["name"] == "w0"
    assert heard["limit"] == 1000 < heard["sum"]
    assert heard["flags"] == 0
    assert [cls for kind, cls, _, _ in stage.records if kind == record.KEYWORD][0] == record.ALERT
    # Silent for two seconds, so it is heard twice in three.
    assert stage.ear.alerts == 2


def test_word_with_audio_comes_after_the_second_before_it():
    samples = loud(16000 * 2, 3)
    for i in range(20000):
        samples[i] = 0
    stage = Stage(samples, audio=True).run()
    (heard,) = stage.of(record.KEYWORD, payload.unpack_keyword)
    assert heard["flags"] == payload.AUDIO
    parts = stage.of(record.SNAPSHOT, payload.unpack_snapshot)
    assert [p["part"] for p in parts] == list(range(36))
    audio = [x for p in parts for x in p["samples"]]
    assert audio == list(samples[heard["index"] - 16000 : heard["index"]])
    assert parts[0]["index"] == heard["index"] - 16000
    kinds = [kind for kind, _, _, _ in stage.records]
    assert kinds.index(record.KEYWORD) == 36
    assert stage.order == [(record.RAW, count) for count in (6, 12, 18, 24, 30, 36)]


def test_networks_work_in_slices_and_no_audio_is_lost():
    stage = Stage(loud(16000), words=4)
    turns = 0
    while not stage.ear.ended:
        before = stage.clock.now_us
        stage.ear.step()
        turns += 1
        assert stage.clock.now_us - before <= 2000 + 1400
    assert stage.ear.index == stage.source.count == 16000
    assert [w.detections for w in stage.ear.hearing.words] == [1] * 4
    assert turns > 100 + 33 * 4


def test_summary_holds_exact_sums_over_its_interval():
    samples = loud(40000)
    samples[7] = samples[17000] = 32767
    told = Stage(samples).run().of(record.SUMMARY, payload.unpack_summary)
    assert [s["n"] for s in told] == [32000, 8000]
    for s, part in zip(told, (samples[:32000], samples[32000:]), strict=True):
        assert (s["sum"], s["sum_sq"]) == (sum(part), sum(x * x for x in part))
        assert (s["min"], s["max"]) == (min(part), max(part))
    assert [s["clipped"] for s in told] == [2, 0]


def test_meter_measures_level_offset_and_clipping():
    samples = array("h", [100 + (1000 if i % 2 else -1000) for i in range(16000)])
    for i in range(160):
        samples[i] = 32767
    ear = Stage(samples).run().ear
    mean = sum(samples) / 16000
    deviation = (sum(x * x for x in samples) / 16000 - mean * mean) ** 0.5
    assert ear.meter.state == meter.OK
    assert abs(ear.meter.offset - mean) <= 1
    assert abs(ear.meter.level - deviation) <= 1
    assert ear.meter.clipped_ppm == 10000


def test_channel_with_one_value_for_a_second_is_dead_and_says_so():
    stage = Stage(array("h", [5] * 16000 * 2)).run()
    assert stage.told == [meter.DEAD]
    assert stage.ear.meter.level == 0
    assert stage.ear.meter.offset == 5


def test_source_that_stops_is_told_within_a_second_and_when_it_comes_back():
    stage = Stage(loud(16000))
    stage.source.read_into = lambda buf: 0
    stage.ear.step()
    for _ in range(100):
        stage.clock.now_us += 10_000
        stage.ear.step()
        if stage.told:
            break
    assert stage.told == [meter.STOPPED]
    assert stage.clock.ms() < 1000
    del stage.source.read_into
    stage.ear.step()
    assert stage.told == [meter.STOPPED, meter.OK]


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"rate_hz": 44100}, "rate_hz"),
        ({"detectors": [{"kind": "zscore"}]}, "detectors"),
        ({"hear": {"model": []}}, "hear.model"),
        ({"hear": {"models": [3]}}, "hear.models"),
        ({"hear": {"slice_us": 1}}, "hear.slice_us"),
        ({"kind": "sensor", "hear": {"models": ["a.kwm"]}}, "hear"),
        ({"kind": "camera"}, "kind"),
    ],
)
def test_microphone_with_settings_that_cannot_be_is_refused(settings, line):
    with pytest.raises(ConfigError) as caught:
        check({"channels": [{"kind": "microphone", **settings}]})
    assert caught.value.code == "channels[0]." + line
