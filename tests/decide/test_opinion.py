"""Decisions of wake words: the verdict is the bridge's, the message and the command are a decision's."""

import hashlib
import json
import subprocess
import sys

import pytest

from kittiwake.bridge.settings import Settings
from kittiwake.config import load
from kittiwake.decide import opinion
from kittiwake.decide.features import NoFeatures
from kittiwake.decide.settings import RuleSection
from kittiwake.errors import ConfigError
from tests.decide.test_service import Listener
from tests.history import records
from tests.mosquitto import Mosquitto
from tests.support.processes import dying_with_us
from tests.support.waiting import until

RULE = """
[[decide.rules]]
name = "word"
kind = "keyword"
model = "/etc/kittiwake/large.tflite"
hear = {keyword = "okay_nabu", cutoff = 0.6}
command = {device = "lamp-1", fields = {op = "event", code = 7, text = "okay"}}
"""
DEVICES = '[[devices]]\nport = "/dev/none"\n'
KEY = "hall-1/1122334455667788/{seq}/word/large.tflite/"


def keyword(seq, word="okay_nabu", **verdict):
    """A keyword's message as a bridge publishes it."""
    _, raw = records.summary(seq, [1, 2], 5000, device="hall-1", epoch_ms=records.EPOCH_MS)
    kept = {name: json.loads(raw)[name] for name in ("ts", "device", "journal", "seq", "boot", "uptime_ms")}
    body = kept | {"kind": "keyword", "channel": "hall", "keyword": word} | verdict
    return "kittiwake/hall-1/keyword/hall", json.dumps(body).encode()


HEARD = [
    {"verdict": "confirmed", "verdict_score": 0.9, "verdict_model": "large.tflite"},
    {"verdict": "rejected", "verdict_score": 0.3, "verdict_model": "large.tflite"},
    {"verdict": "unchecked", "verdict_model": "large.tflite"},
]


@pytest.mark.needs("mosquitto")
def test_word_that_the_bridge_has_confirmed_becomes_a_decision_and_a_command_without_a_folder_of_models(tmp_path):
    with Mosquitto(tmp_path) as broker:
        config = tmp_path / "gateway.toml"
        config.write_text(f'[broker]\nurl = "{broker.url}"\nprotocol = "5"\n{DEVICES}{RULE}')
        listener = Listener(broker, "kittiwake/+/decision/#", "kittiwake/+/cmd")
        with open(tmp_path / "log", "ab") as log:
            command = [sys.executable, "-m", "kittiwake", "decide", "-c", str(config)]
            process = subprocess.Popen(dying_with_us(command), stderr=log)
        try:
            until(lambda: (tmp_path / "log").read_text().count("connected to broker") == 2, "decide", 30)
            for seq, verdict in enumerate([*HEARD, HEARD[0]]):
                listener.send(*keyword(seq, "alexa" if seq == 3 else "okay_nabu", **verdict))
            until(lambda: len(listener.came) == 3, lambda: str(listener.came))
        finally:
            process.kill()
            process.wait()
            listener.close()
    assert "nobody has heard it again (unchecked)" in (tmp_path / "log").read_text()
    decisions = [json.loads(raw) for topic, raw in listener.came if topic == "kittiwake/hall-1/decision/hall"]
    assert [(one["anomaly"], one["confidence"], one["label"], one["key"]) for one in decisions] == [
        (True, 0.9, "confirmed", KEY.format(seq=0)),
        (False, 0.3, "rejected", KEY.format(seq=1)),
    ]
    (sent,) = [json.loads(raw) for topic, raw in listener.came if topic == "kittiwake/lamp-1/cmd"]
    ident = hashlib.sha256(KEY.format(seq=0).encode()).hexdigest()[:16]
    assert sent == {"id": ident, "op": "event", "code": 7, "text": "okay"}


@pytest.mark.parametrize(
    "body",
    [{}, HEARD[2], HEARD[0] | {"verdict_score": "0.9"}, HEARD[0] | {"verdict_score": True}, {"verdict": "confirmed"}],
)
def test_message_that_nobody_has_heard_again_gives_no_decision(body):
    with pytest.raises(NoFeatures):
        opinion.of_keyword(body)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hear": None}, "hear belongs"),
        ({"kind": "summary", "features": ["mean"]}, "hear belongs"),
        ({"features": ["mean"]}, "a keyword has no features"),
        ({"channel": "hall"}, "for every channel"),
        ({"kind": "summary", "hear": None}, "needs some"),
    ],
)
def test_rules_of_keywords_that_cannot_be_are_refused(changes, words):
    rule = {"name": "word", "kind": "keyword", "model": "a.tflite", "hear": {"keyword": "okay_nabu"}}
    with pytest.raises(ValueError, match=words):
        RuleSection.model_validate({name: value for name, value in (rule | changes).items() if value is not None})


def test_rule_of_a_summary_wants_a_folder_of_models_and_one_of_a_keyword_does_not():
    assert load.parse(DEVICES + RULE, Settings, {}, "x").decide.rules[0].hear.cutoff == 0.6
    other = '[[decide.rules]]\nname = "worn"\nfeatures = ["mean"]\nmodel = "m"\n'
    with pytest.raises(ConfigError, match="no folder of models"):
        load.parse(DEVICES + RULE + other, Settings, {}, "x")
