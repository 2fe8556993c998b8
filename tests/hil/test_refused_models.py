"""A node whose wake words cannot run: each is refused with its reason, journalled and counted, and the node goes on."""

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import wake

_NODE = """
import gc
gc.threshold(8192)  # as main.py
from kittiwake_node import node as _node
_made = _node.build({config!r})
for _ in range(200):
    _made.step()
print(_made.health()["models_refused"])
for name in [word.name for word in _made.channels[0].hearing.words]:
    print(name)
_made.close()
"""


@pytest.mark.board("unix", "qemu:mps2-an385")
def test_node_goes_on_without_the_models_that_it_refuses(board):
    plan = wake.compile_word(wake.find("hey_jarvis"), "viper")
    flipped = bytearray(plan)
    flipped[200] ^= 1
    later = plan[:4] + bytes([plan[4] + 1]) + plan[5:]
    board.deploy(
        {
            "whole.kwm": plan,
            "flipped.kwm": bytes(flipped),
            "later.kwm": later,
            "pairs.kwm": wake.compile_word(wake.find("hey_jarvis"), "dsp"),
        }
    )
    board.reboot()
    names = ["flipped.kwm", "later.kwm", "absent.kwm", "whole.kwm", "pairs.kwm"]
    channel = {"kind": "microphone", "source": {"kind": "link", "room": 1024}, "hear": {"models": names}}
    config = {"device": "d", "kernel": "viper", "channels": [channel]} | board.node_overrides()
    assert board.exec(_NODE.format(config=config), 60).split() == ["4", "hey_jarvis"]
