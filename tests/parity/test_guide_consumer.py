"""The guide's sample consumer, unchanged, on the bridge's reading topic: it raises the alerts the bridge publishes."""

import json
import statistics
from fractions import Fraction

import pytest

from kittiwake.demo.broker import EmbeddedBroker
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.scenario import Scenario, node_config
from kittiwake.publish import publisher
from kittiwake.signals import vibration
from kittiwake.target.unix import UnixTarget
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

RATE_HZ = 50
SECONDS = 16
LIMIT_S = 60


class GuideConsumer:
    """What the guide prints: the last 20 values, mean, sample deviation, |z| above 2.5."""

    def __init__(self, window=20, threshold=2.5):
        self.window, self.threshold = window, threshold
        self.values = []

    def on_message(self, payload):
        data = json.loads(payload)
        self.values.append(data["value"])
        self.values = self.values[-self.window :]
        if len(self.values) < self.window:
            return None
        mean, stdev = statistics.mean(self.values), statistics.stdev(self.values)
        if stdev == 0:
            return None
        z = (data["value"] - mean) / stdev
        if abs(z) <= self.threshold:
            return None
        return {
            "anomaly": True,
            "value": data["value"],
            "z_score": round(z, 2),
            "mean": round(mean, 2),
            "stdev": round(stdev, 2),
            "ts": data["ts"],
            "sensor_id": data["sensor_id"],
        }


@pytest.mark.timeout(120)
def test_guide_consumer_on_readings_raises_the_alerts_of_the_bridge(tmp_path):
    samples = vibration.samples(SECONDS * RATE_HZ, rate_hz=RATE_HZ, anomalies_per_s=2.5, seed=11)
    (tmp_path / "samples.i16").write_bytes(samples.tobytes())
    channel = {"name": "vibration", "sensor_id": "vib-001", "unit": "mm/s", "scale": "1/100", "readings": True}
    plan = Scenario(samples, rate_hz=RATE_HZ, n=20, t=Fraction(5, 2), channel=channel, topics=publisher.GUIDE_TOPICS)
    with (
        EmbeddedBroker() as url,
        LedgerProcess(url, ["#"], tmp_path / "ledger.jsonl") as witness,
        UnixTarget(work_dir=tmp_path / "board") as board,
        BridgeProcess(board.link_port, url, "--guide"),
    ):
        board.run_node(node_config(plan, tmp_path / "samples.i16"))
        ended = lambda: any("source ended" in line.get("payload", "") for line in witness.read())  # noqa: E731
        until(ended, "the end of the samples", LIMIT_S, 0.2)
        arrivals = witness.read()
    readings = [line["payload"] for line in arrivals if line["topic"] == "factory/line1/vibration"]
    assert len(readings) == len(samples)
    consumer = GuideConsumer()
    raised = [alert for alert in map(consumer.on_message, readings) if alert]
    published = [json.loads(line["payload"]) for line in arrivals if line["topic"] == "factory/line1/alerts"]
    assert len(raised) >= 20
    assert [{name: alert[name] for name in raised[0]} for alert in published] == raised
