"""A board's journal, opened as its node opens it."""

import json

from kittiwake_node.io import machine_facts, parts
from kittiwake_node.keeping import Keeping


def print_journal(storage):
    """Print its state and figures, as JSON.

    Args:
        storage: as the node's configuration has it.
    """
    keeping = Keeping(lambda: parts.make_storage(storage), parts.make_memory, machine_facts.random_u64)
    journal = keeping.journal
    print(
        json.dumps(
            {
                "state": keeping.state,
                "problem": str(keeping.problem) if keeping.problem else "",
                "boots": journal.state.boot,
                "waiting": journal.next_seq - journal.acked,
                "next_seq": journal.next_seq,
                "damaged": journal.damaged,
                "evicted": list(journal.evicted),
                "used_bytes": journal.used_bytes,
                "limit_bytes": journal.limit_bytes,
            }
        )
    )
