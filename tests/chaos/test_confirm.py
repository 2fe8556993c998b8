"""A second opinion, whole: a node hears a word, the bridge has it heard again, and a kill -9 changes nothing."""

import json
import wave

import pytest

from kittiwake.demo import speech
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.model import wake
from kittiwake.signals import wav
from kittiwake.target.unix import UnixTarget
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

pytest.importorskip("ai_edge_litert", reason="no wheel of ai-edge-litert for this machine")
pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(240)]

WAIT_S = 90


def wait(board, condition, what):
    return until(lambda: board.check_running() or condition(), f"a {what}", WAIT_S)


@pytest.mark.parametrize(
    ("second", "verdict", "is_killed"), [(speech.WORD, "confirmed", True), ("alexa", "rejected", False)]
)
def test_confirm_keyword_of_a_node_arrives_with_its_verdict(tmp_path, second, verdict, is_killed):
    clip = wav.read_wav(speech.PATH)[speech.INDEX - 48000 : speech.INDEX + 8000]
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(clip.tobytes())
    (tmp_path / "word.kwm").write_bytes(wake.compile_word(wake.find(speech.WORD), "viper"))
    (tmp_path / "second.tflite").write_bytes(wake.find(second).model)
    hall = {
        "kind": "microphone",
        "name": "hall",
        "rate_hz": 0,
        "source": {"kind": "wav", "path": str(tmp_path / "speech.wav")},
        "hear": {"models": [str(tmp_path / "word.kwm")], "audio": True},
    }
    with (
        Mosquitto(tmp_path) as broker,
        LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as witness,
        UnixTarget(work_dir=tmp_path / "board") as board,
    ):
        (tmp_path / "g.toml").write_text(
            f'[broker]\nurl = "{broker.url}"\nbackoff_first_s = 0.1\n[[devices]]\nport = "{board.link_port}"\n'
            f'[confirm]\nmodels = {{ {speech.WORD} = "{tmp_path}/second.tflite" }}\ntimeout_s = 60\n'
        )

        def bodies(kind):
            lines = [line for line in witness.read() if f"/{kind}/" in line["topic"]]
            return [json.loads(line["payload"]) for line in lines]

        bridge = BridgeProcess.of_config(tmp_path / "g.toml", tmp_path / "bridge.log")
        bridge.start()
        board.run_node({"device": "kw-hall", "channels": [hall]})
        if is_killed:
            wait(board, lambda: len(bodies("snapshot")) > 30, "audio at the broker")
            bridge.kill()
            bridge.start()
        (*_, word) = wait(board, lambda: bodies("keyword"), "keyword")
        assert (word["keyword"], word["verdict"], word["verdict_model"]) == (speech.WORD, verdict, "second.tflite")
        assert (word["verdict_score"] >= 0.5) is (verdict == "confirmed")
        assert len({json.dumps(body) for body in bodies("keyword")}) == 1
        seqs = {body["seq"] for body in bodies("snapshot")}
        assert seqs == set(range(word["seq"] - 36, word["seq"]))
        bridge.kill()
