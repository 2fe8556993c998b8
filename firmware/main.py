"""Load the board's configuration and run the node. Usage on the unix port: micropython main.py CONFIG.json"""

import sys

from kittiwake_node import node

node.run_file(sys.argv[1] if len(sys.argv) > 1 else "node.json")
