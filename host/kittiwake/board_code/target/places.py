"""Where a board keeps its journal when nobody says."""

import json


def print_storage():
    """Print it as a node's configuration has it, JSON: an emulated board has flash for it, a real one a folder."""
    try:
        import kwflash  # noqa: F401 - whether it is there is the question

        print(json.dumps({"kind": "kwflash"}))
    except ImportError:
        print(json.dumps({"kind": "folder", "path": "kittiwake"}))
