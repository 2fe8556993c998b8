"""A node's configuration, with what the board has of its own."""

import json
import os

from kittiwake_node import node
from kittiwake_node.io import provisioned


def _absent(table):
    """The files that a table names and that are not there."""
    paths = []
    for name in table:
        if name.endswith("_file") and table[name]:
            try:
                os.stat(table[name])
            except OSError:
                paths.append(table[name])
    return paths


def print_configuration(text):
    """Print the node's refusal, "" for none, and the paths of the files that it names in vain, as JSON.

    Args:
        text: the configuration, JSON.
    """
    config = provisioned.lay_over(json.loads(text))
    absent = []
    for name in ("wifi", "mqtt"):
        if isinstance(config.get(name), dict):
            absent += _absent(config[name])
    print(json.dumps([node.refusal(config), absent]))
