"""What the board reads: `PYTHON description_run.py FIRMWARE CASES` prints scale, offset and unit of each description.

A case is a line of JSON; what is printed is a line each: `N/D N/D UNIT`, a channel after the other.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

from kittiwake_node.link import channel_description

with open(sys.argv[2]) as cases:
    for line in cases:
        channels = channel_description.read(line.encode(), json.loads)
        words = []
        for c in channels:
            words += ["/".join([str(n) for n in c.scale]), "/".join([str(n) for n in c.offset]), c.unit or "-"]
        print(" ".join(words))
