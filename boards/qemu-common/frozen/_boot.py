"""Mount what the board has before anything else runs: its flash on /, its read-only files on /rom.

Runs from the firmware itself at every start and soft reset, so files deployed by mpremote are there afterwards. It must
not fail: what it prints is seen at the prompt.
"""

import kwflash

kwflash.mount_all()
