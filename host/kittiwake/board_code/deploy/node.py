"""The application's node: imported from its slot, and asked whether it would start."""

import sys


def import_node(slot):
    """Make a slot's modules importable, and print the version of the firmware there.

    Args:
        slot: its folder; "" where the application lies beside main.py.
    """
    if slot and slot not in sys.path:
        sys.path.insert(0, slot)
    import kittiwake_node

    print(kittiwake_node.__version__)


def print_refusal(slot):
    """Print why the node of a slot would not start; an empty line when it would.

    Args:
        slot: its folder.
    """
    sys.path.insert(0, slot)
    from kittiwake_node import node

    print(node.refusal(node.read_file(slot + "/node.json")))
