"""The emulated boards' flash: block devices over memory that outlives a reset, which count and can be torn.

Two partitions: `files`, mounted on / at start, and `journal`, left to the application. It knows nothing of who stores
what. The memory's first bytes are a header of 32-bit words (`_MAGIC` and on); the blocks follow. A program or an erase
is marked in the header before and after, and done in pieces, so that a power cut (a reset) falls into it like into real
flash: with a part done. The next start counts it.
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
_SMALL_FILES = const(7)  # blocks for files there
_PIECE = const(128)


class Partition:
    """Block device over a part of the flash, for VfsLfs2 (`readblocks`, `writeblocks`, `ioctl` with offsets).

    Args:
        start: address of its first block.
        blocks: how many it has.

    Attributes:
        programmed_bytes, erased_blocks: what was done to it since this start.
        piece: bytes done at a time; a power cut falls between two pieces, or into one.
        spin: turns of an empty loop for each piece, to make the flash as slow as a real one; 0 for none.
    """

    def __init__(self, start, blocks):
        self._start = start
        self._blocks = blocks
        self._memory = memoryview(uctypes.bytearray_at(start, blocks * _block_size))
        self._erased = memoryview(b"\xff" * _PIECE)
        self.programmed_bytes = 0
        self.erased_blocks = 0
        self.piece = _PIECE
        self.spin = 0

    def region(self):
        """(address, bytes) of it, for reading it out with a debugger."""
        return self._start, self._blocks * _block_size

    def readblocks(self, block, buf, offset=0):
        """Fill `buf` from `block`, `offset` bytes into it."""
        start = block * _block_size + offset
        buf[:] = self._memory[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        """Program `buf` into `block`, `offset` bytes into it; the place was erased before."""
        mem32[_address + _OPERATION] = _PROGRAM
        start = block * _block_size + offset
        source = memoryview(buf)
        n = len(buf)
        piece = self.piece
        for i in range(0, n, piece):
            j = min(i + piece, n)
            # In two steps: a slice assigned to a long memoryview moves all that stands behind it onto itself.
            self._memory[start + i : start + j][:] = source[i:j]
            for _ in range(self.spin):
                pass
        self.programmed_bytes += n
        mem32[_address + PROGRAMS] += 1
        mem32[_address + PROGRAMMED_BYTES] += n
        mem32[_address + _OPERATION] = _NONE

    def _erase(self, block):
        mem32[_address + _OPERATION] = _ERASE
        start = block * _block_size
        piece = min(self.piece, _PIECE)
        for i in range(start, start + _block_size, piece):
            self._memory[i : i + piece][:] = self._erased[:piece]
            for _ in range(self.spin):
                pass
        self.erased_blocks += 1
        mem32[_address + ERASES] += 1
        mem32[_address + _OPERATION] = _NONE

    def ioctl(self, operation, argument):
        """Answer MicroPython's block protocol: 4 blocks, 5 block size, 6 erase a block."""
        if operation == 4:
            return self._blocks
        if operation == 5:
            return _block_size
        if operation == 6:
            self._erase(argument)
        return 0


def stats():
    """Tell what the flash went through since the board was new.

    Returns:
        dict of programs, erases, programmed_bytes, torn_programs, torn_erases, starts.
    """
    return {
        "programs": _counter(PROGRAMS),
        "erases": _counter(ERASES),
        "programmed_bytes": _counter(PROGRAMMED_BYTES),
        "torn_programs": _counter(TORN_PROGRAMS),
        "torn_erases": _counter(TORN_ERASES),
        "starts": _counter(STARTS),
    }


def _counter(offset):
    return mem32[_address + offset]


def _start():
    """Make the header when the flash is new, and count the power cut that came before this start, if any."""
    if mem32[_address + _MAGIC] & 0xFFFFFFFF != _MAGIC_VALUE:
        for offset in range(_FORMATTED, STARTS + 4, 4):
            mem32[_address + offset] = 0
        mem32[_address + _MAGIC] = _MAGIC_VALUE
    operation = _counter(_OPERATION)
    if operation == _PROGRAM:
        mem32[_address + TORN_PROGRAMS] += 1
    elif operation == _ERASE:
        mem32[_address + TORN_ERASES] += 1
    mem32[_address + _OPERATION] = _NONE
    mem32[_address + STARTS] += 1


def format():
    """Make an empty file system for files; what was there is lost. The journal's partition is left alone."""
    mem32[_address + _FORMATTED] = 0
    vfs.VfsLfs2.mkfs(files, progsize=128, readsize=128)
    mem32[_address + _FORMATTED] = 1


def mount_all():
    """Mount the files on / (formatting them when the flash is new) and read-only files, if any, on /rom."""
    if _counter(_FORMATTED) != 1:
        format()
    try:
        # Commits of small files are cheapest so: half to a twelfth of the instructions that the defaults take.
        vfs.mount(vfs.VfsLfs2(files, progsize=128, readsize=128, mtime=False), "/")
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
_block_size = _LARGE_BLOCK if _size > 65536 else _SMALL_BLOCK
# The header takes a block; the files half of the rest where there is room, else what a configuration needs.
_blocks = _size // _block_size - 1
_file_blocks = _blocks // 2 if _size > 65536 else _SMALL_FILES
files = Partition(_address + _block_size, _file_blocks)
journal = Partition(_address + (1 + _file_blocks) * _block_size, _blocks - _file_blocks)
_start()
