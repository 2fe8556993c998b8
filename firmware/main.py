"""Load the board's configuration and run the node. Usage on the unix port: micropython main.py CONFIG.json"""

import gc
import sys

# Collect before the heap is full: the modules' code then lies together, and a block of some KiB can still be had.
gc.threshold(max(8192, gc.mem_free() // 10))

from kittiwake_node import node  # noqa: E402

node.run_file(sys.argv[1] if len(sys.argv) > 1 else "node.json")
