"""Hearing on every target: nothing allocated, and a node that detects and hears at once."""

import struct
import wave
from array import array
from fractions import Fraction

import pytest

pytest.importorskip("pymicro_wakeword", reason="no wheel of pymicro-wakeword for this machine")

from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

import kittiwake
from kittiwake.bridge import device_health
from kittiwake.cli import app
from kittiwake.demo import speech
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.pipeline import follow
from kittiwake.errors import EXIT_OK
from kittiwake.model import wake
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.reference import zscore
from kittiwake.runs import listen
from kittiwake.signals import vibration, wav
from kittiwake.target import open_target
from kittiwake_node.link import anomaly, messages, payload
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.support.hil import Gateway, blank_journal, fastest_kernel
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

PIECE = 256  # samples in one request
FIRST, LAST = 48_000, 90_000  # of the demo's speech: the word, and some before and after it
FED_FIRST, FED_LAST = 62_000, 82_000  # a link is slower than a microphone
_LOCKED = """
def _locked(buf):
    import micropython
    _hear(buf, len(buf))
    micropython.heap_lock()
    try:
        for _ in range(2):
            at = 0
            while at < len(buf):
                at = _hearing.feed(buf, at, len(buf))
                while _hearing.pending:
                    _hearing.step()
    finally:
        micropython.heap_unlock()
    print('done', _hearing.frames)
_locked(array('h', [(i * 7919 & 0x3FFF) - 8192 for i in range(1600)]))
"""


@pytest.mark.timeout(300)
def test_hearing_with_the_heap_locked_works(board):
    kernel = fastest_kernel(board)
    plans = {"hey_jarvis": wake.compile_word(wake.find("hey_jarvis"), kernel)}
    listen.Listener(board, plans, kernel)
    assert board.exec(_LOCKED, 120).split() == ["done", "28"]


@pytest.fixture
def recordings(tmp_path):
    """Samples, the clip with the word, and the files that a node replays both from."""
    samples = vibration.samples(3000, seed=5)
    clip = wav.read_wav(speech.PATH)[FIRST:LAST]
    write_wav(tmp_path / "speech.wav", clip)
    return samples, clip, {"speech.wav": (tmp_path / "speech.wav").read_bytes(), "samples.i16": samples.tobytes()}


def assert_detects_and_hears(board, kernel, recordings, paced, audio):
    """Run a node that does both, and hold all that it tells against the references; returns the least free heap.

    1 kHz and 16 kHz in their own time where it is paced, else as fast as it goes: an emulated board's time is not real.
    """
    samples, clip, _ = recordings
    config = {
        "device": "kw-hears",
        "kernel": kernel,
        "health_s": 1,
        "channels": [
            {
                "name": "vibration",
                "rate_hz": 1000 if paced else 0,
                "source": {"kind": "replay", "path": "samples.i16"},
                "detectors": [{"kind": "zscore", "n": 64, "t": "9/2"}],
            },
            {
                "kind": "microphone",
                "name": "hall",
                "rate_hz": 16000 if paced else 0,
                "source": {"kind": "wav", "path": "speech.wav"},
                "hear": {"models": ["word.kwm"], "audio": audio},
            },
        ],
    }
    board.run_node(config)
    with Gateway(board.link_port, board) as gateway:
        ended = lambda: any(b"source ended" in r.payload for r in gateway.records)  # noqa: E731
        gateway.until(ended, "the end of both sources", limit_s=200)
    board.interrupt()
    told = [anomaly.unpack_anomaly(r.payload) for r in gateway.records if r.type == rec.ANOMALY]
    expected = [(a.index, a.sum, a.sum_sq) for a in zscore.alerts(samples, 64, Fraction(9, 2))]
    assert expected
    assert [(a["index"], a["sum"], a["sum_sq"]) for a in told] == expected
    words = [payload.unpack_keyword(r.payload) for r in gateway.records if r.type == rec.KEYWORD]
    assert [(word["name"], word["flags"]) for word in words] == [(speech.WORD, payload.AUDIO if audio else 0)]
    parts = [payload.unpack_snapshot(r.payload) for r in gateway.records if r.type == rec.SNAPSHOT]
    kept = array("h", [x for part in parts for x in part["samples"]])
    assert kept == (clip[words[0]["index"] - 16000 : words[0]["index"]] if audio else array("h"))
    seqs = {r.type: r.seq for r in gateway.records if r.type in (rec.SNAPSHOT, rec.KEYWORD)}
    assert seqs.get(rec.SNAPSHOT, -1) < seqs[rec.KEYWORD]
    health = [payload.unpack_health(r.payload) for r in gateway.records if r.type == rec.HEALTH]
    assert health[-1]["samples"] == len(samples) + len(clip)
    assert device_health.STATES["microphone_state"][health[-1]["microphone_state"]] == "ok"
    assert health[-1]["microphone_level"] > 100
    return min(each["heap_free"] for each in health)


@pytest.mark.timeout(300)
@pytest.mark.board("unix", "qemu:mps2-an385")
def test_node_detects_every_anomaly_while_it_hears(board, recordings):
    """With audio kept on unix. The emulated board's heap does not hold node, plan and a second of audio."""
    kernel, is_large = fastest_kernel(board), board.name == "unix"
    board.interrupt()
    blank_journal(board)
    board.deploy({"word.kwm": wake.compile_word(wake.find(speech.WORD), kernel), **recordings[2]})
    spare = assert_detects_and_hears(board, kernel, recordings, paced=is_large, audio=is_large)
    print(f"{board.name}: {spare} bytes free, the plan in RAM, by {kernel}")


SPARE_BYTES = 20 * 1024
IN_PLACE = {"qemu:mps2-an385": False, "qemu:virt": True, "qemu:xtensa": True}  # the application as well as the plan


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "is_fast"),
    [
        *((name, True) for name in IN_PLACE),
        ("qemu:mps2-an385", False),
        ("qemu:virt", False),
        pytest.param("qemu:xtensa", False, marks=pytest.mark.soak),
    ],
)
def test_node_with_its_plan_in_flash_detects_hears_and_keeps_audio(name, is_fast, request, recordings):
    """Plans, and on small heaps the application's bytecode, are read where they lie: what ROMFS does on real boards."""
    refuse_or_skip(request.config, name)
    with open_target(name, deploy=False) as board:
        kernel = fastest_kernel(board) if is_fast else "viper"
        plan = {"word.kwm": wake.compile_word(wake.find(speech.WORD), kernel)}
        application = board.compiled(kittiwake.firmware_files())
        board.deploy(plan | (application if IN_PLACE[name] else {}), in_place=True)
        board.deploy(recordings[2] | ({} if IN_PLACE[name] else application))
        spare = assert_detects_and_hears(board, kernel, recordings, paced=False, audio=True)
    print(f"{name}: {spare} bytes free, by {kernel}")
    assert spare >= SPARE_BYTES


def stimulate(gateway, samples, start=0):
    """Feed channel 0 over the link, a piece when the one before was answered. Returns the next sample's number."""
    end = start + len(samples)
    at, room = start, PIECE
    while at < end:
        piece = samples[at - start : at - start + min(PIECE, room)]
        status, body = gateway.ask(messages.OP_STIMULUS, struct.pack("<BI", 0, at) + piece.tobytes())
        assert status == messages.OK
        at, room = struct.unpack("<II", body)
    return at


@pytest.mark.timeout(300)
@pytest.mark.board("unix", "qemu:mps2-an385")
def test_microphone_fed_over_the_link_hears_its_word(board):
    """A node that runs on a board without a microphone takes audio from its gateway: where pymicro_wakeword does."""
    clip = wav.read_wav(speech.PATH)[FED_FIRST:FED_LAST]
    kernel = fastest_kernel(board)
    board.interrupt()
    blank_journal(board)
    board.deploy({"word.kwm": wake.compile_word(wake.find(speech.WORD), kernel)})
    microphone = {"kind": "microphone", "name": "hall", "source": {"kind": "link"}, "hear": {"models": ["word.kwm"]}}
    board.run_node({"device": "kw-fed", "kernel": kernel, "channels": [microphone]})
    with Gateway(board.link_port, board) as gateway:
        gateway.open()
        assert stimulate(gateway, clip) == len(clip)
        heard = lambda: any(r.type == rec.KEYWORD for r in gateway.records)  # noqa: E731
        gateway.until(heard, "the word", limit_s=60)
    board.interrupt()
    (word,) = [payload.unpack_keyword(r.payload) for r in gateway.records if r.type == rec.KEYWORD]
    assert (word["name"], word["index"]) == (speech.WORD, first_index(clip))


@pytest.mark.needs("mosquitto")
@pytest.mark.timeout(240)
@pytest.mark.board("unix")
def test_inject_of_a_wav_file_brings_its_word_to_the_broker(board, tmp_path):
    clip = wav.read_wav(speech.PATH)[FED_FIRST:FED_LAST]
    write_wav(tmp_path / "speech.wav", clip)
    board.interrupt()
    blank_journal(board)
    board.deploy({"word.kwm": wake.compile_word(wake.find(speech.WORD), "viper")})
    microphone = {"kind": "microphone", "name": "hall", "source": {"kind": "link"}, "hear": {"models": ["word.kwm"]}}
    board.run_node({"device": "kw-fed", "channels": [microphone]})
    told = tmp_path / "ledger.jsonl"
    with (
        Mosquitto(tmp_path) as broker,
        LedgerProcess(broker.url, ["kittiwake/kw-fed/keyword/#"], told),
        BridgeProcess(board.link_port, broker.url),
    ):
        feeding = ["inject", str(tmp_path / "speech.wav"), "--device", "kw-fed", "--broker", broker.url]
        assert app.run(feeding) == EXIT_OK
        arrived = until(lambda: board.check_running() or list(follow(told)), "a word", 60, 0.05)
    board.interrupt()
    word = arrived[0].body
    assert (word["keyword"], word["index"]) == (speech.WORD, first_index(clip))


def write_wav(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def first_index(clip):
    """Samples up to the last that pymicro_wakeword's first detection needs."""
    frontend, its = MicroWakeWordFeatures(), MicroWakeWord.from_builtin(Model(speech.WORD))
    for frame, features in enumerate(frontend.process_streaming(clip.tobytes())):
        if its.process_streaming(features):
            return 480 + 160 * frame
    return None
