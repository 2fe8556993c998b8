"""What one board has of its own, judged by the node that is to start with it."""

import json

from kittiwake_node import node
from kittiwake_node.io import provisioned


def print_provisioned_refusal(text, path):
    """Print why the node would not start; an empty line when it would.

    Args:
        text: the node's configuration, JSON.
        path: of the file that is to be laid over it.
    """
    print(node.refusal(provisioned.lay_over(json.loads(text), path)))
