"""A channel from samples to records: events, their ends, snapshots around them, baselines kept beside the journal."""

from array import array
from types import SimpleNamespace

import pytest

from kittiwake_node import kernels
from kittiwake_node.config import check
from kittiwake_node.detect import kinds
from kittiwake_node.detect.channel import Channel
from kittiwake_node.detect.clip import Clip
from kittiwake_node.detect.snapshot import Snapshots
from kittiwake_node.detect.summary import Summary
from kittiwake_node.io.source import Source
from kittiwake_node.link import anomaly, payload, record
from kittiwake_node.store.baselines import Baselines

KERNEL = kernels.load("plain")


class ListSource(Source):
    """Samples from a list, `piece` at a time."""

    def __init__(self, samples, piece):
        super().__init__()
        self.samples, self.piece = samples, piece

    def read_into(self, buf):
        piece = self.samples[self.count : self.count + min(self.piece, len(buf))]
        buf[: len(piece)] = array("h", piece)
        self.count += len(piece)
        self.ended = not piece
        return len(piece)

    def time_ms(self, index):
        return index


def run(samples, piece=16, **settings):
    config = check({"channels": [{"summary_samples": 1000, **settings}]})["channels"][0]
    records, moments = [], []
    s = config["snapshot"]
    owner = SimpleNamespace(
        on_alert=lambda source, index: moments.append(index),
        emit=lambda kind, number, cls, time_ms, body: records.append((kind, cls, body)),
    )
    channel = Channel(
        0,
        config,
        ListSource(samples, piece),
        Summary(KERNEL),
        Clip(KERNEL, -1000, 1000),
        [kinds.make(KERNEL, d, 16) for d in config["detectors"]],
        Snapshots(KERNEL, s["before"], s["after"], s["bytes_per_hour"], 3600000) if s["after"] else None,
        16,
        owner,
    )
    while not channel.ended:
        channel.step()
    return channel, records, moments


def of(records, kind, unpack):
    return [unpack(body) for k, _, body in records if k == kind]


def spiky(*spikes):
    return [100 + (i * 7) % 5 + (900 if i in spikes else 0) for i in range(400)]


GUIDE = {"kind": "zscore", "n": 20, "t": "3"}


@pytest.mark.parametrize("piece", [1, 7, 16])
def test_channel_without_events_tells_every_flag(piece):
    channel, records, moments = run(spiky(100, 101, 300), piece, detectors=[GUIDE])
    seen = [a["index"] for a in of(records, record.ANOMALY, anomaly.unpack_anomaly)]
    # The second of two equal outliers stands at 2.92, below 3.
    assert seen == moments == [100, 300]
    assert channel.held_back == 0
    assert not of(records, record.DISTURBANCE, anomaly.unpack_disturbance)


@pytest.mark.parametrize("piece", [1, 7, 16])
def test_channel_with_a_hold_off_tells_one_alert_and_one_end_a_disturbance(piece):
    spikes = (100, 125, 150, 300)
    channel, records, moments = run(spiky(*spikes), piece, detectors=[GUIDE], event={"hold_off": 30})
    assert moments == [100, 300]
    ends = of(records, record.DISTURBANCE, anomaly.unpack_disturbance)
    assert [(e["start"], e["end"], e["count"]) for e in ends] == [(100, 150, 3), (300, 300, 1)]
    assert (channel.alerts, channel.held_back) == (2, 2)
    assert all(cls == record.ALERT for kind, cls, _ in records if kind == record.DISTURBANCE)


def test_channel_with_a_rate_limit_counts_what_it_holds_back():
    spikes = range(50, 390, 30)
    channel, records, moments = run(spiky(*spikes), detectors=[GUIDE], event={"burst": 2, "refill": 1000})
    assert moments == [50, 80]
    assert channel.held_back == len(spikes) - 2
    assert sum(s["anomalies"] for s in of(records, record.SUMMARY, payload.unpack_summary)) == len(spikes)


@pytest.mark.parametrize("piece", [1, 7, 16])
def test_channel_keeps_the_samples_around_the_flag(piece):
    samples = spiky(100, 300)
    _, records, _ = run(samples, piece, detectors=[GUIDE], snapshot={"before": 10, "after": 20})
    parts = of(records, record.SNAPSHOT, payload.unpack_snapshot)
    assert [(p["part"], p["parts"], p["index"]) for p in parts] == [(0, 1, 90), (0, 1, 290)]
    for p in parts:
        assert p["samples"] == samples[p["index"] : p["index"] + 30]
    assert all(cls == record.RAW for kind, cls, _ in records if kind == record.SNAPSHOT)


def test_channel_cuts_a_long_snapshot_into_parts_that_fit_a_record():
    samples = [100 + (i * 7) % 5 + (900 if i == 700 else 0) for i in range(1600)]
    _, records, _ = run(samples, detectors=[GUIDE], snapshot={"before": 500, "after": 600})
    parts = of(records, record.SNAPSHOT, payload.unpack_snapshot)
    assert [(p["part"], p["index"], len(p["samples"])) for p in parts] == [(0, 200, 448), (1, 648, 448), (2, 1096, 204)]
    assert sum((p["samples"] for p in parts), []) == samples[200:1300]
    assert max(len(body) for _, _, body in records) + record.OVERHEAD_BYTES <= 1000


def test_channel_with_two_detectors_tells_both_and_sums_up_once():
    samples = [100 + i % 2 for i in range(400)] + [160 + i % 2 for i in range(200)]
    _, records, _ = run(samples, detectors=[GUIDE, {"kind": "drift"}])
    seen = {a["detector"] for a in of(records, record.ANOMALY, anomaly.unpack_anomaly)}
    assert seen == {anomaly.ZSCORE, anomaly.DRIFT}
    assert sum(s["n"] for s in of(records, record.SUMMARY, payload.unpack_summary)) == len(samples)


def test_channel_with_a_baseline_tells_the_feature_that_left_it():
    quiet = [(-1) ** i * (20 + (i * 13) % 7) for i in range(64 * 20)]
    loud = [(-1) ** i * 90 for i in range(64)]
    learner = {"kind": "baseline", "block": 64, "learn": 10, "features": ["variance"]}
    _, records, moments = run(quiet + loud, detectors=[learner])
    (told,) = of(records, record.ANOMALY, anomaly.unpack_anomaly)
    assert moments == [len(quiet) + 63]
    assert (told["detector"], told["feature"], told["blocks"], told["value"]) == (anomaly.BASELINE, 0, 10, 8100 << 8)
    assert told["sum"] // told["blocks"] < told["value"]


@pytest.mark.parametrize("piece", [1, 7, 16])
def test_channel_flags_and_counts_samples_at_the_ends_of_their_range_and_alters_none(piece):
    samples = [100 + (i * 7) % 5 for i in range(2400)]
    for at, x in ((50, 1000), (51, 999), (1200, -32768), (1500, 32767), (1501, 32767)):
        samples[at] = x
    channel, records, _ = run(samples, piece, detectors=[GUIDE])
    summaries = of(records, record.SUMMARY, payload.unpack_summary)
    assert [(s["clipped"], s["min"], s["max"]) for s in summaries] == [
        (1, 100, 1000),
        (3, -32768, 32767),
        (0, 100, 104),
    ]
    assert channel.clipped == 4
    flags = {a["index"]: a["flags"] & anomaly.CLIPPED for a in of(records, record.ANOMALY, anomaly.unpack_anomaly)}
    assert (flags[50], flags[1200], flags[1500]) == (1, 1, 1)


class DictFs:
    """Files in a dictionary."""

    def __init__(self):
        self.files = {}

    def open(self, path, mode):
        fs = self

        class File:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                return None

            def read(self):
                return fs.files[path]

            def write(self, data):
                fs.files[path] = bytes(data)

        if mode == "rb" and path not in self.files:
            raise OSError(2)
        return File()

    def remove(self, path):
        if path not in self.files:
            raise OSError(2)
        del self.files[path]


def learner():
    config = check({"channels": [{"detectors": [{"kind": "baseline", "block": 16, "learn": 8}]}]})
    return kinds.make(KERNEL, config["channels"][0]["detectors"][0], 16).learner


def test_baselines_learned_once_are_there_after_a_reboot_until_cleared():
    fs, first = DictFs(), learner()
    kept = Baselines(fs, [("0-0", first)])
    assert kept.save() == []
    signal = array("h", [i % 5 for i in range(16 * 12)])
    first.find(signal, 0, len(signal))
    assert kept.save() == ["0-0"]
    assert kept.save() == []
    second = learner()
    again = Baselines(fs, [("0-0", second)])
    assert second.learned and second.dump() == first.dump()
    assert again.clear("1-") == 0
    assert again.clear("0-") == 1
    assert not second.learned and fs.files == {}


def test_baselines_that_are_damaged_are_learned_anew_and_said():
    fs, first = DictFs(), learner()
    kept = Baselines(fs, [("0-0", first)])
    first.find(array("h", [i % 5 for i in range(16 * 12)]), 0, 16 * 12)
    kept.save()
    (name,) = fs.files
    fs.files[name] = fs.files[name][:-1] + bytes([fs.files[name][-1] ^ 1])
    second = learner()
    assert "damaged" in Baselines(fs, [("0-0", second)]).problem
    assert not second.learned
