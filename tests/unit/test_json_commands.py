"""Commands that a board answers itself: the operations are the bridge's, and whatever arrives has an answer."""

import hashlib
import json
import random

import pytest

from kittiwake.bridge import command_codec
from kittiwake_node.link import messages as m
from kittiwake_node.mqtt import json_commands


def make(handle=lambda op, body, now_ms: (m.OK, bytes(8))):
    return json_commands.JsonCommands(
        "dev-1", handle, json.loads, json.dumps, lambda data: hashlib.sha256(data).digest()
    )


def ask(told, **fields):
    return json.loads(told.respond(json.dumps(fields).encode(), 0))


def test_requests_know_the_operations_that_the_bridge_knows():
    assert frozenset(json_commands._OPERATIONS) == command_codec.OPERATIONS


@pytest.mark.parametrize(
    ("op", "fields", "sent"),
    [
        ("stimulus", {"channel": 1, "start": 7, "samples": [1, -2]}, [(m.OP_STIMULUS, b"\1\7\0\0\0\1\0\xfe\xff")]),
        ("event", {"code": 9, "text": "x"}, [(m.OP_EVENT, b"\x09\0x")]),
        ("relearn", {"channel": 2}, [(m.OP_RELEARN, b"\2")]),
    ],
)
def test_request_that_changes_something_goes_as_a_command_that_is_done_once(op, fields, sent):
    seen = []
    told = make(lambda op, body, now_ms: seen.append((op, bytes(body))) or (m.OK, bytes(8)))
    for name in ("a", "a", "b"):
        assert ask(told, id=name, op=op, **fields)["status"] == "ok"
    assert [op for op, _ in seen] == [m.OP_ONCE] * 3
    keys = [body[: m.KEY_BYTES] for _, body in seen]
    assert keys[0] == keys[1] != keys[2]
    assert [(body[m.KEY_BYTES], body[m.KEY_BYTES + 1 :]) for _, body in seen[:1]] == sent


def test_request_for_settings_is_put_together_and_taken_apart_in_pieces():
    config = {"device": "d", "channels": [{"name": "x" * 700}]}
    raw = json.dumps(config).encode()
    held = bytearray()

    def handle(op, body, now_ms):
        at = int.from_bytes(body[:2], "little")
        if op == m.OP_CONFIG_GET:
            return m.OK, len(raw).to_bytes(2, "little") + raw[at : at + 512]
        if op == m.OP_CONFIG_PUT:
            held[at:] = body[2:]
            return m.OK, b""
        return m.OK, b"in force from the next start"

    told = make(handle)
    assert ask(told, id="1", op="config_get")["result"] == {"config": config}
    assert ask(told, id="2", op="config_set", config=config)["result"] == {"text": "in force from the next start"}
    assert json.loads(held) == config


@pytest.mark.parametrize("read", ["the board", "the bridge"])
def test_request_with_a_scale_of_a_tenth_puts_a_tenth_into_the_settings(read):
    payload = b'{"id":"1","op":"config_set","config":{"channels":[{"scale":0.10,"offset":1e-3,"bits":12}]}}'
    saved = bytearray()

    def handle(op, body, now_ms):
        saved.extend(body[2:] if op == m.OP_CONFIG_PUT else b"")
        return m.OK, b""

    if read == "the board":
        make(handle).respond(payload, 0)
    else:
        command = command_codec.parse(payload, command_codec.OPERATIONS)
        op, body = next(command_codec.start_of("dev-1", command, lambda: 0)())
        handle(op, body, 0)
    assert json.loads(saved) == {"channels": [{"scale": "0.10", "offset": "1e-3", "bits": 12}]}


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"op":"ping"}', "id: 1 to 64"),
        (b'{"id":"","op":"ping"}', "id: 1 to 64"),
        (b'{"id":true,"op":"ping"}', "id: 1 to 64"),
        (b'{"id":1,"op":[]}', "op: there are"),
        (b'{"id":1,"op":"event","code":70000}', "code: a whole number"),
        (b'{"id":1,"op":"ping","text":3}', "text: a text"),
        (b'{"id":1,"op":"stimulus","samples":[1.5]}', "samples: whole numbers"),
        (b'{"id":1,"op":"stimulus","samples":[]}', "samples: 1 to 256"),
        (b'{"id":1,"op":"config_set"}', "config: an object"),
        (b'{"id":1,"op":"time"}', "utc_ms: a whole number"),
    ],
)
def test_request_that_cannot_be_is_answered_with_the_reason(payload, told):
    answer = json.loads(make().respond(payload, 0))
    assert answer["status"] == "invalid" and answer["error"].startswith(told)
    assert (answer["device"], "result" in answer) == ("dev-1", False)


def test_request_refused_or_unknown_to_the_device_says_so():
    assert ask(make(lambda op, body, now_ms: (m.REFUSED, b"no")), id="1", op="identify")["error"] == "no"
    assert ask(make(lambda op, body, now_ms: (m.UNKNOWN, b"")), id="1", op="identify")["status"] == "unknown"


def test_requests_of_noise_always_have_an_answer():
    rng = random.Random(5)
    told = make()
    good = b'{"id":"1","op":"stimulus","channel":0,"start":0,"samples":[1,2,3]}'
    for _ in range(2000):
        noise = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            noise[rng.randrange(len(noise))] = rng.randrange(256)
        assert json.loads(told.respond(bytes(noise), 0))["status"] in ("ok", "invalid", "refused")
