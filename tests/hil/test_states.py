"""A channel that tells a machine's states, on every target: TFLite Micro's network and a separate definition decide."""

import json
import random
import subprocess
import sys
from array import array
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.errors import ConfigError
from kittiwake.explain import states as explained
from kittiwake.model import states
from kittiwake.model.emit import kwm
from kittiwake.model.run.oracle import Oracle
from kittiwake.reference import states as reference
from kittiwake_node.link import machine_state, payload
from kittiwake_node.link import record as rec
from tests.support.hil import Gateway, blank_journal, fastest_kernel
from tests.support.tflite_builder import INT32, OPS, Builder, options

BLOCK, FULL_SCALE, BLOCKS, MARGIN = 48, 900.0, 2, 20
NAMES = ("aus", "läuft", "klemmt")
SCALE, ZERO = 1 / 127, -3


def network():
    """A dense layer of three patterns, and a softmax."""
    patterns = np.array([np.rint(120 * np.sin((0.3 + 0.45 * k) * np.arange(BLOCK))) for k in range(3)], np.int8)
    net = Builder()
    x = net.tensor((1, BLOCK), quant=(SCALE, ZERO))
    weights = net.tensor(patterns.shape, quant=(0.004, 0), data=patterns)
    bias = net.tensor((3,), INT32, quant=(SCALE * 0.004, 0), data=np.array([40, -300, 90], np.int32))
    y = net.tensor((1, 3), quant=(0.05, 10))
    net.op(OPS.FULLY_CONNECTED, [x, weights, bias], [y], *options("FullyConnectedOptions"))
    z = net.tensor((1, 3), quant=(1 / 256, -128))
    net.op(OPS.SOFTMAX, [y], [z], *options("SoftmaxOptions", beta=1.0))
    return net.bytes(x, z), patterns


def recording(patterns, seed, runs=14):
    """One pattern for some blocks, then another, with noise, steps of the level and clipped stretches."""
    rng = random.Random(seed)
    samples = []
    for _ in range(runs):
        pattern, size, level = patterns[rng.randrange(3)], rng.choice((0, 3, 8, 60)), rng.randint(-30000, 30000)
        for _ in range(rng.randint(1, 5)):
            samples += [level + size * int(p) + rng.randint(-200, 200) for p in pattern]
    return array("h", [max(-32768, min(32767, x)) for x in samples + [7] * 30])


def expected(model, plan, samples):
    """(name, previous, score, index, lasted) of each change, by TFLite Micro and rational arithmetic."""
    note = states.read_note(plan, "m.kwm")
    factor = Fraction(note.multiplier, 1 << note.shift)
    starts = range(0, len(samples) - BLOCK + 1, BLOCK)
    inputs = [reference.quantised(list(samples[i : i + BLOCK]), factor, ZERO) for i in starts]
    with Oracle() as oracle:
        outputs, _ = oracle.run(model, [bytes(v & 255 for v in block) for block in inputs])
    rows = [np.frombuffer(each, np.int8)[:3].tolist() for each in outputs]
    told, before = [], 0
    for number, state, score, held in reference.changes(rows, BLOCKS, MARGIN):
        index = BLOCK * (number + 1)
        previous, lasted = ("", 0) if held is None else (NAMES[held], index - before)
        told.append((NAMES[state], previous, score, index, lasted))
        before = index
    return told


def settings(board, kernel, **changed):
    channel = {
        "kind": "states",
        "name": "fan",
        "rate_hz": 0,
        "summary_samples": 500,
        "source": {"kind": "replay", "path": "samples.i16"},
        "states": {"model": "m.kwm", "blocks": BLOCKS, "margin": MARGIN, "act": ["klemmt"]},
    }
    channel["states"] |= changed
    return {"device": "kw-fan", "kernel": kernel, "health_s": 1, "channels": [channel]}


def run_node(board, config, files):
    board.interrupt()
    blank_journal(board)
    board.deploy(files)
    board.run_node(config)
    with Gateway(board.link_port, board) as gateway:
        ended = lambda: any(b"source ended" in r.payload for r in gateway.records)  # noqa: E731
        gateway.until(ended, "the end of the source", limit_s=120)
    board.interrupt()
    return gateway.records


# Not the STM32F205: network and channel leave 12 KiB of its heap, in pieces, and at times no room for a frame.
@pytest.mark.timeout(300)
@pytest.mark.board("unix", "qemu:mps2-an385", "qemu:mps2-an386", "qemu:virt", "qemu:xtensa")
def test_node_tells_every_change_of_state_as_the_references_do(board):
    kernel = fastest_kernel(board)
    model, patterns = network()
    plan = states.compile_states(model, NAMES, FULL_SCALE, kernel, "m")
    samples = recording(patterns, seed=5)
    records = run_node(board, settings(board, kernel), {"m.kwm": plan, "samples.i16": samples.tobytes()})
    told = [machine_state.unpack_state(r.payload) for r in records if r.type == rec.STATE]
    changes = [tuple(each[key] for key in ("name", "previous", "score", "index", "lasted")) for each in told]
    wanted = expected(model, plan, samples)
    assert len(wanted) >= 4 and {name for name, *_ in wanted} == set(NAMES)
    assert changes == wanted
    assert {r.cls for r in records if r.type == rec.STATE} == {rec.ALERT}
    sums = [payload.unpack_summary(r.payload) for r in records if r.type == rec.SUMMARY]
    assert (sum(s["n"] for s in sums), sum(s["sum"] for s in sums)) == (len(samples), sum(samples))
    health = [payload.unpack_health(r.payload) for r in records if r.type == rec.HEALTH][-1]
    assert (health["samples"], health["models_refused"]) == (len(samples), 0)


def damaged(plan):
    """Plans that tell nothing, each with what the node says of it."""
    yield plan[:-16], "damaged"
    yield plan[:-20] + b"\xff" + plan[-19:], "damaged"
    yield kwm.with_note(plan, bytes(16)), "tells no states"
    for at, value, why in (
        (-12, b"\x09", "version 9"),
        (-10, b"\x01", "1 states"),
        (-10, b"\xff", "255 states"),
        (-10, b"\x02", "gives 3"),
        (-16, b"\x31\x00", "takes 48 bytes"),
        (-16, b"\x00\x00", "blocks of 0"),
        (-14, b"\x00\x00", "times 0"),
        (-11, b"\x20", "2^32"),
        (-20, b"\xff", "UTF-8"),
    ):
        changed = bytearray(plan)
        changed[at : len(plan) + at + len(value)] = value
        yield kwm.with_note(bytes(changed), b""), why


@pytest.mark.timeout(300)
@pytest.mark.board("unix", "qemu:mps2-an385")
def test_node_leaves_a_plan_out_that_tells_no_states_and_goes_on(board):
    model, patterns = network()
    kernel = fastest_kernel(board)
    plan = states.compile_states(model, NAMES, FULL_SCALE, kernel, "m")
    samples = recording(patterns, seed=6, runs=2)
    cases = list(damaged(plan)) if board.name == "unix" else list(damaged(plan))[2:4]
    for content, why in cases:
        records = run_node(board, settings(board, kernel), {"m.kwm": content, "samples.i16": samples.tobytes()})
        events = [payload.unpack_event(r.payload)["text"] for r in records if r.type == rec.EVENT]
        assert any(text.startswith("model m.kwm is left out") and why in text for text in events), (why, events)
        assert not [r for r in records if r.type == rec.STATE]
        health = [payload.unpack_health(r.payload) for r in records if r.type == rec.HEALTH][-1]
        assert (health["samples"], health["models_refused"]) == (len(samples), 1)


@pytest.mark.board("unix")
def test_node_says_that_a_state_it_should_act_on_is_none_of_the_plans(board):
    model, patterns = network()
    plan = states.compile_states(model, NAMES, FULL_SCALE, "viper", "m")
    samples = recording(patterns, seed=6, runs=2)
    config = settings(board, "viper", act=["stuck"])
    records = run_node(board, config, {"m.kwm": plan, "samples.i16": samples.tobytes()})
    events = [payload.unpack_event(r.payload)["text"] for r in records if r.type == rec.EVENT]
    assert "channel fan acts on no 'stuck': m.kwm has no such state" in events


def test_compile_states_refuses_names_and_scales_that_cannot_be():
    model, _ = network()
    for names, full_scale, why in (
        (("a", "b"), 900.0, "gives 3 outputs"),
        (("a", "b", "a"), 900.0, "gives 3 outputs"),
        (("a", "b", "c" * 32), 900.0, "a state is called"),
        (("a", "b", "c\n"), 900.0, "a state is called"),
        (NAMES, 0.0, "full scale of 0"),
        (NAMES, 1e12, "full scale of 1e[+]12"),
    ):
        with pytest.raises(ConfigError, match=why):
            states.compile_states(model, names, full_scale, "viper", "m")
    for full_scale in (1.0, 900.0, 65535.0):
        note = states.read_note(states.compile_states(model, NAMES, full_scale, "viper", "m"), "m.kwm")
        assert note.names == NAMES and note.block == BLOCK
        assert abs(note.multiplier / 2**note.shift * full_scale * SCALE - 1) <= 2**-12


def test_explain_says_how_long_a_change_of_state_takes(tmp_path):
    model, _ = network()
    (tmp_path / "m.kwm").write_bytes(states.compile_states(model, NAMES, FULL_SCALE, "viper", "m"))
    toml = '[[channels]]\nkind = "states"\nname = "fan"\nrate_hz = 400\nsource = {kind = "link"}\n'
    toml += '[channels.states]\nmodel = "m.kwm"\nact = ["stuck"]\n'
    (tmp_path / "node.toml").write_text(toml)
    command = [sys.executable, "-m", "kittiwake", "explain", str(tmp_path / "node.toml"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (told,) = json.loads(done.stdout)["states"]
    assert told["facts"]["block_s"] == 0.12 and told["facts"]["told_after_s_at_most"] == 0.48
    assert "act: m.kwm has no state 'stuck'" in told["notes"] and "states: aus, läuft, klemmt" in told["notes"]
    assert explained.explain_states({"kind": "sensor"}, {}) == []
