"""A decision's bytes, its key and its command; parts of snapshots; and what [decide] refuses."""

import hashlib
import json

import pytest

from kittiwake.bridge.settings import Settings
from kittiwake.config import load
from kittiwake.decide import decision
from kittiwake.decide.gathering import SNAPSHOTS_LIMIT, Gathering
from kittiwake.decide.settings import CommandSection, RuleSection
from kittiwake.errors import ConfigError
from kittiwake.history.row import Row, read
from kittiwake.serve.model import Verdict
from tests.history import records

RULE = RuleSection(
    name="worn",
    features=["mean"],
    model="m",
    command=CommandSection(device="press-8", fields={"op": "event", "code": 7, "text": "worn"}),
)


def row(seq=17):
    return read(*records.summary(seq, [1, 2, 3], 5000, epoch_ms=records.EPOCH_MS))


def test_decision_has_these_bytes():
    made = decision.make("kittiwake", RULE, row(), "m", "0123456789ab", Verdict(True, 0.87654321, "worn"))
    assert made.topic == "kittiwake/press-7/decision/vibration"
    assert made.payload == (
        b'{"kind":"decision","device":"press-7","channel":"vibration","ts":"2027-01-15T08:00:05.000Z","rule":"worn",'
        b'"model":"m","version":"0123456789ab","anomaly":true,"confidence":0.8765,'
        b'"key":"press-7/1122334455667788/17/worn/m/0123456789ab","of_kind":"summary",'
        b'"of_journal":"1122334455667788","of_seq":17,"label":"worn"}'
    )
    ident = hashlib.sha256(b"press-7/1122334455667788/17/worn/m/0123456789ab").hexdigest()[:16]
    assert made.command_topic == "kittiwake/press-8/cmd"
    assert json.loads(made.command) == {"id": ident, "op": "event", "code": 7, "text": "worn"}


def test_decision_is_no_record_of_the_board():
    # Its device, journal and number are those of another message: a history that took it would see an altered copy.
    made = decision.make("kittiwake", RULE, row(), "m", "v", Verdict(False, 0.1, None))
    assert not {"journal", "seq", "label"} & json.loads(made.payload).keys()
    assert (made.command_topic, made.command) == ("", b"")


def test_command_goes_to_the_records_own_device_where_none_is_named():
    rule = RULE.model_copy(update={"command": CommandSection(when="always", fields={"op": "ping"})})
    made = decision.make("plant/line", rule, row(), "m", "v", Verdict(False, 0.1, None))
    assert made.command_topic == "plant/line/press-7/cmd"


@pytest.mark.parametrize("other", [{"seq": 18}, {"rule": "x"}, {"model": "x"}, {"version": "x"}])
def test_id_of_a_command_differs_where_anything_of_the_key_does(other):
    def ident(seq=17, rule="worn", model="m", version="v"):
        named = RULE.model_copy(update={"name": rule})
        return json.loads(decision.make("b", named, row(seq), model, version, Verdict(True, 1.0, None)).command)["id"]

    assert ident(**other) != ident() == ident()


@pytest.mark.parametrize(
    ("change", "applies"),
    [
        ({}, True),
        ({"devices": ["press-?"]}, True),
        ({"devices": ["lathe-*", "press-7"]}, True),
        ({"devices": ["Press-*"]}, False),
        ({"channel": "vib*"}, True),
        ({"channel": "heat"}, False),
        ({"kind": "snapshot"}, False),
    ],
)
def test_rule_applies_to_its_devices_kind_and_channel(change, applies):
    assert decision.applies(RULE.model_copy(update=change), row()) is applies


def part(seq, number, parts, samples, device="d"):
    body = {"part": number, "parts": parts, "samples_lsb": samples}
    return Row(device, "0" * 16, seq, "snapshot", "c", None, 1, 1, body, "")


def test_parts_in_any_order_make_one_snapshot_whose_key_is_its_first():
    gathering = Gathering()
    assert gathering.take(part(12, 2, 3, [5]), 1) == (None, [])
    assert gathering.take(part(10, 0, 3, [1, 2]), 2) == (None, [])
    assert gathering.take(part(10, 0, 3, [1, 2]), 3) == (None, [])  # a copy
    whole, free = gathering.take(part(11, 1, 3, [3, 4]), 4)
    assert (whole.samples, whole.first.seq, whole.handles, free) == ([1, 2, 3, 4, 5], 10, [1, 2, 3, 4], [])


def test_snapshots_that_stay_in_parts_make_room_and_are_counted():
    gathering = Gathering()
    freed = []
    for number in range(SNAPSHOTS_LIMIT + 3):
        freed += gathering.take(part(10 * number, 0, 2, [1]), number)[1]
    assert (freed, gathering.given_up) == ([0, 1, 2], 3)


@pytest.mark.parametrize("body", [{}, {"part": 2, "parts": 2}, {"part": 0, "parts": 1 << 20}, {"samples_lsb": [0.5]}])
def test_part_that_is_none_is_not_waited_for(body):
    row = Row("d", "0" * 16, 1, "snapshot", "c", None, 1, 1, {"part": 0, "parts": 2, "samples_lsb": [1]} | body, "")
    if not body:
        row.body.clear()
    assert Gathering().take(row, 9) == (None, [9])


FILE = """
[[devices]]
port = "auto"
[decide]
models = "/m"
[[decide.rules]]
name = "worn"
model = "m"
features = ["mean"]
"""


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('features = ["crest"]\n', "a summary has no feature 'crest'"),
        ('kind = "snapshot"\nfeatures = ["band:9-5"]\n', "a band rises"),
        ('kind = "snapshot"\nfeatures = ["band:x"]\n', "is no band"),
        ('devices = ["a/b"]\n', "is no pattern of device ids"),
        ("command = {fields = {code = 1}}\n", "a command needs its op"),
        ('command = {fields = {op = "event", id = 1}}\n', "a command's id is the decision's own"),
        ('[[decide.rules]]\nname = "worn"\nmodel = "m"\nfeatures = ["mean"]\n', "worn is named twice"),
    ],
)
def test_configuration_with_a_fault_is_refused_in_words(more, problem):
    lines = FILE.replace('features = ["mean"]\n', "") if more.startswith(("features", "kind")) else FILE
    with pytest.raises(ConfigError) as caught:
        load.parse(lines + more, Settings, {}, "gateway.toml")
    assert problem in str(caught.value)


def test_configuration_with_rules_and_no_models_is_refused():
    with pytest.raises(ConfigError) as caught:
        load.parse(FILE.replace('models = "/m"\n', ""), Settings, {}, "gateway.toml")
    assert "no folder of models" in str(caught.value)
    assert load.parse(FILE, Settings, {}, "gateway.toml").decide.rules[0].name == "worn"
