"""A node's configuration, checked by the node."""

import json

from kittiwake_node import node
from kittiwake_node.config import check


def print_checked(text):
    """Print {"refused": reason}, or {"config": it, with defaults filled in}, as JSON.

    Args:
        text: the configuration, JSON.
    """
    config = json.loads(text)
    reason = node.refusal(config)
    print(json.dumps({"refused": reason} if reason else {"config": check(config)}))
