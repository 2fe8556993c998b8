"""What a node holds of the heap once it runs: not the modules that checked its configuration."""

import json

BUILD = """
import gc, sys
gc.threshold(8192)  # as main.py has it: else modules lie far apart, and no block of 4 KiB is left in one piece
from kittiwake_node import node
_kw_node = node.build(json.loads({text!r}))
print(sorted(name for name in sys.modules if name.startswith("kittiwake_node.config")))
"""
REFUSE = """
for text in (b'{"block": 0}', b'{"channels": [{"source": {"kind": "link", "romo": 4}}]}', b'[]'):
    print(node._refusal_of_text(text))
print(sorted(name for name in sys.modules if name.startswith("kittiwake_node.config")))
_kw_node.halt()
"""


def test_node_frees_its_checks_and_loads_them_again_for_new_settings(board):
    config = {"device": "kw-heap", "channels": [{"source": {"kind": "link"}}], **board.node_overrides()}
    assert board.exec("import json\n" + BUILD.format(text=json.dumps(config))).split() == ["[]"]
    lines = board.exec(REFUSE).splitlines()
    assert lines[0].startswith("block: 0 is not within 1 to 1024")
    assert lines[1].startswith("channels[0].source.romo: no such setting; there are: ")
    assert lines[2].startswith("configuration: [] is not a table") or "no JSON object" in lines[2]
    assert lines[3] == "[]"
