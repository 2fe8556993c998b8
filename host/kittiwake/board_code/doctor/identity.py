"""Which board this is, and why it started."""

import json

from kittiwake_node.io import machine_facts


def print_identity():
    """Print its unique id and the cause of its last reset, as JSON."""
    print(json.dumps([machine_facts.unique_id(), machine_facts.reset_cause_name()]))
