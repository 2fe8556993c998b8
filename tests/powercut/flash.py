"""Flash that remembers every operation, so that a power cut at any of them can be made afterwards. Runs on MicroPython.

A log is a list of (block, offset, bytes), an erase being (block, -1, None). Applying the first k of them to the image
that they began from gives the medium as a cut before operation k leaves it; a piece of operation k makes it torn.
"""
# ruff: noqa: UP031 (MicroPython)

ERASED = 0xFF
REFUSE, DEAD, STUCK = "refuse", "dead", "stuck"  # how a bad block takes a program
_STUCK_BIT = 0x10
_CORRUPT = 84  # what a driver answers LittleFS when it knows that a program failed


class Flash:
    """NOR flash in memory: a program needs erased bytes, an erase takes a whole block.

    Args:
        block_bytes, blocks: geometry.
        image: bytes to start from (taken, not copied), or None for erased flash.
        bad: dict of block number and how it takes a program: REFUSE (not, and says so), DEAD (not, and says nothing) or
            STUCK (one bit of each byte stays erased). Erasing works everywhere.

    Attributes:
        log: operations since the last `begin_log`, or None: what they did, also where a block is bad.
        programmed_bytes, erased_blocks: counted since it was made.
        bad_met: programs of bad blocks.
    """

    def __init__(self, block_bytes, blocks, image=None, bad=None):
        self.block_bytes, self.blocks = block_bytes, blocks
        self.image = image if image is not None else bytearray(bytes([ERASED]) * (block_bytes * blocks))
        self.log = None
        self.programmed_bytes = self.erased_blocks = self.bad_met = 0
        self.bad = bad or {}

    def begin_log(self):
        """Forget the operations so far; returns a copy of the image as it is now."""
        self.log = []
        return bytearray(self.image)

    def readblocks(self, block, buf, offset=0):
        at = block * self.block_bytes + offset
        buf[:] = memoryview(self.image)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        data = bytes(buf)
        kind = self.bad.get(block)
        if kind:
            self.bad_met += 1
            data = bytes([b | _STUCK_BIT for b in data]) if kind == STUCK else bytes([ERASED]) * len(data)
        if self.log is not None:
            self.log.append((block, offset, data))
        self.programmed_bytes += len(data)
        apply(self.image, self.block_bytes, (block, offset, data))
        return -_CORRUPT if kind == REFUSE else 0

    def ioctl(self, op, arg):
        if op == 4:
            return self.blocks
        if op == 5:
            return self.block_bytes
        if op == 6:
            if self.log is not None:
                self.log.append((arg, -1, None))
            self.erased_blocks += 1
            apply(self.image, self.block_bytes, (arg, -1, None))
        return 0


def bad_blocks(rng, blocks, count):
    """Draw bad blocks, for `Flash`. The first two stay good: LittleFS's superblock can be nowhere else."""
    bad = {}
    while len(bad) < count:
        bad[2 + rng.randrange(blocks - 2)] = (REFUSE, DEAD, STUCK)[len(bad) % 3]
    return bad


def flip(image, rng, start=0, stop=None):
    """Flip one bit at rest, of a byte that is not erased. Returns the byte's place."""
    stop = len(image) if stop is None else stop
    while True:
        at = start + rng.randrange(stop - start)
        if image[at] != ERASED:
            image[at] ^= 1 << rng.randrange(8)
            return at


def apply(image, block_bytes, operation, size=None):
    """Do an operation to an image, or only the first `size` bytes of it.

    Raises:
        ValueError: a program on bytes that are not erased; LittleFS never does that to flash.
    """
    block, offset, data = operation
    at = block * block_bytes
    if offset < 0:
        count = block_bytes if size is None else size
        image[at : at + count] = bytes([ERASED]) * count
        return
    at += offset
    if size is not None:
        data = data[:size]
    if bytes(memoryview(image)[at : at + len(data)]) != bytes([ERASED]) * len(data):
        raise ValueError("program on bytes that are not erased: block %d offset %d" % (block, offset))
    image[at : at + len(data)] = data


def torn_sizes(operation, block_bytes, rng):
    """Where an operation may stop in the middle: one byte, all but one, and somewhere between."""
    whole = block_bytes if operation[1] < 0 else len(operation[2])
    return sorted({1, whole - 1, 1 + rng.randrange(whole - 1)}) if whole > 1 else []
