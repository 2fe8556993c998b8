"""The emulated boards' flash: a block device over memory that outlives a reset, which counts and can be torn.

It knows nothing of who stores what. The memory's first bytes are a header of 32-bit words (`_MAGIC` and on); the file
system's blocks follow. A program or an erase is marked in the header before and after, and done in pieces, so that a
power cut (a reset) falls into it like into real flash: with a part done. The next start counts it.
"""

import sys

import kwboard
import uctypes
import vfs
from machine import mem32
from micropython import const

# Header words, by byte offset.
_MAGIC = const(0)  # _MAGIC_VALUE when the header is valid
_FORMATTED = const(4)  # 1 once a file system was made and mounted
_OPERATION = const(8)  # what is being done: _NONE, _PROGRAM or _ERASE
PROGRAMS = const(12)
ERASES = const(16)
PROGRAMMED_BYTES = const(20)
TORN_PROGRAMS = const(24)  # power cuts that fell into a program
TORN_ERASES = const(28)
STARTS = const(32)  # of the machine, soft resets included

_MAGIC_VALUE = const(0x1A57F1A5)
_NONE = const(0)
_PROGRAM = const(1)
_ERASE = const(2)

_LARGE_BLOCK = const(4096)  # an erase block of serial NOR flash
_SMALL_BLOCK = const(512)  # where there are a few KiB only
_PIECE = const(128)


class Flash:
    """Block device for VfsLfs2 (`readblocks`, `writeblocks`, `ioctl` with offsets).

    Args:
        address: of the memory, header included.
        size: of the memory in bytes, header included.
        block_size: bytes of an erase block; the header takes one.

    Attributes:
        piece: bytes done at a time; a power cut falls between pieces, or into one.
        spin: turns of an empty loop for each piece, to make the flash as slow as a real one; 0 for none.
    """

    def __init__(self, address, size, block_size):
        self._address = address
        self._block_size = block_size
        self._blocks = size // block_size - 1
        self._memory = memoryview(uctypes.bytearray_at(address + block_size, self._blocks * block_size))
        self._erased = memoryview(b"\xff" * _PIECE)
        self.piece = _PIECE
        self.spin = 0
        self._start()

    def _start(self):
        a = self._address
        if mem32[a + _MAGIC] & 0xFFFFFFFF != _MAGIC_VALUE:
            for offset in range(_FORMATTED, STARTS + 4, 4):
                mem32[a + offset] = 0
            mem32[a + _MAGIC] = _MAGIC_VALUE
        operation = mem32[a + _OPERATION]
        if operation == _PROGRAM:
            mem32[a + TORN_PROGRAMS] += 1
        elif operation == _ERASE:
            mem32[a + TORN_ERASES] += 1
        mem32[a + _OPERATION] = _NONE
        mem32[a + STARTS] += 1

    @property
    def formatted(self):
        """Whether a file system was made here."""
        return mem32[self._address + _FORMATTED] == 1

    @formatted.setter
    def formatted(self, value):
        mem32[self._address + _FORMATTED] = 1 if value else 0

    def counter(self, which):
        """Read one of the header's counters, e.g. `kwflash.TORN_ERASES`."""
        return mem32[self._address + which]

    def readblocks(self, block, buf, offset=0):
        """Fill `buf` from `block`, `offset` bytes into it."""
        start = block * self._block_size + offset
        buf[:] = self._memory[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        """Program `buf` into `block`, `offset` bytes into it; the place was erased before."""
        a = self._address
        mem32[a + _OPERATION] = _PROGRAM
        start = block * self._block_size + offset
        source = memoryview(buf)
        n = len(buf)
        piece = self.piece
        for i in range(0, n, piece):
            j = min(i + piece, n)
            self._memory[start + i : start + j] = source[i:j]
            for _ in range(self.spin):
                pass
        mem32[a + PROGRAMS] += 1
        mem32[a + PROGRAMMED_BYTES] += n
        mem32[a + _OPERATION] = _NONE

    def _erase(self, block):
        a = self._address
        mem32[a + _OPERATION] = _ERASE
        start = block * self._block_size
        piece = min(self.piece, _PIECE)
        for i in range(start, start + self._block_size, piece):
            self._memory[i : i + piece] = self._erased[:piece]
            for _ in range(self.spin):
                pass
        mem32[a + ERASES] += 1
        mem32[a + _OPERATION] = _NONE

    def ioctl(self, operation, argument):
        """Answer MicroPython's block protocol: 4 blocks, 5 block size, 6 erase a block."""
        if operation == 4:
            return self._blocks
        if operation == 5:
            return self._block_size
        if operation == 6:
            self._erase(argument)
            return 0
        return 0


def stats():
    """Tell what the flash went through since the board was new.

    Returns:
        dict of programs, erases, programmed_bytes, torn_programs, torn_erases, starts.
    """
    return {
        "programs": device.counter(PROGRAMS),
        "erases": device.counter(ERASES),
        "programmed_bytes": device.counter(PROGRAMMED_BYTES),
        "torn_programs": device.counter(TORN_PROGRAMS),
        "torn_erases": device.counter(TORN_ERASES),
        "starts": device.counter(STARTS),
    }


def _file_system():
    # Commits of small files are cheapest with these , measured: two to twelve times fewer instructions.
    return vfs.VfsLfs2(device, progsize=128, readsize=128, mtime=False)


def format():
    """Make an empty file system on the flash; what was there is lost."""
    device.formatted = False
    vfs.VfsLfs2.mkfs(device, progsize=128, readsize=128)
    device.formatted = True


def mount_all():
    """Mount the flash on / (formatting it when it is new) and read-only files, where the host put some, on /rom."""
    if not device.formatted:
        format()
    try:
        vfs.mount(_file_system(), "/")
    except OSError as error:
        # Never format here: that would hide that committed data was lost.
        print("kwflash: the file system cannot be mounted:", error)
    region = kwboard.romfs()
    if region:
        try:
            vfs.mount(vfs.VfsRom(uctypes.bytearray_at(*region)), "/rom")
        except OSError:
            return  # nothing was put there
        sys.path.append("/rom")


_address, _size = kwboard.storage()
device = Flash(_address, _size, _LARGE_BLOCK if _size > 65536 else _SMALL_BLOCK)
