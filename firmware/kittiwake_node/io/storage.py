"""Storage: block devices the firmware can make, and LittleFS mounted on them."""

import vfs

from ..errors import StorageError

_BLOCK_BYTES = 4096
_MEMORY_BLOCK_BYTES = 512
MEMORY_LEAST_BYTES = 11 * 1024
MEMORY_MOST_BYTES = 64 * 1024
# A commit programs whole units of this size: small ones cost a third of the instructions that the default's take.
_UNIT_BYTES = 128
_SUPERBLOCK = b"\x01\x00\x00\x00\xf0\x0f\xff\xf7littlefs"  # what the first block of a new file system begins with
_ENOENT = 2


class FileBlockDevice:
    """A block device in a file of the host's: flash for the unix target. Erased bytes read 0xFF, as on NOR flash.

    Args:
        path: the image; made and erased when it is not there.
        size_bytes: a multiple of 4096.

    Attributes:
        programmed_bytes, erased_blocks: what was done to the flash since start, for wear figures.
    """

    def __init__(self, path, size_bytes):
        self._count = size_bytes // _BLOCK_BYTES
        self.programmed_bytes = 0
        self.erased_blocks = 0
        try:
            self._file = open(path, "r+b")
        except OSError as error:
            if error.errno != _ENOENT:
                raise  # it is there, and must not be made anew over what it holds
            with open(path, "wb") as fresh:
                for _ in range(self._count):
                    fresh.write(b"\xff" * _BLOCK_BYTES)
            self._file = open(path, "r+b")

    def readblocks(self, block, buf, offset=0):
        """Fill `buf` from a block; the file system calls this."""
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        """Program `buf` into an erased block; the file system calls this."""
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.write(buf)
        self.programmed_bytes += len(buf)

    def ioctl(self, op, arg):
        """Answer the file system: 4 the count of blocks, 5 their size, 6 erase one; 0 for what needs nothing."""
        if op == 4:
            return self._count
        if op == 5:
            return _BLOCK_BYTES
        if op == 6:
            # Not blanked: littlefs programs only what it erased, and a stale block costs nothing to keep.
            self.erased_blocks += 1
        return 0


class MemoryBlockDevice:
    """A block device in memory, for when there is no other; gone with the supply.

    Small blocks, to waste little, and each by itself: a heap in use has no room for all of them in one piece.

    Args:
        size_bytes: of it; rounded down to whole blocks.
    """

    def __init__(self, size_bytes):
        self._blocks = [bytearray(_MEMORY_BLOCK_BYTES) for _ in range(size_bytes // _MEMORY_BLOCK_BYTES)]

    def readblocks(self, block, buf, offset=0):
        """Read part of a block; the file system calls this."""
        buf[:] = memoryview(self._blocks[block])[offset : offset + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        """Program `buf`; the file system calls this."""
        self._blocks[block][offset : offset + len(buf)] = buf

    def ioctl(self, op, arg):
        """Answer the file system: 4 the count of blocks, 5 their size; 0 for what needs nothing."""
        if op == 4:
            return len(self._blocks)
        if op == 5:
            return _MEMORY_BLOCK_BYTES
        return 0


def open_file_system(device):
    """Mount LittleFS on a block device; a blank one is formatted.

    Returns:
        VfsLfs2, not attached to a path.

    Raises:
        StorageError: there is something on it that is neither blank nor LittleFS. It is left alone.
    """
    try:
        return _mount(device)
    except OSError as error:
        if not _is_blank(device):
            raise StorageError("storage-foreign", "no LittleFS on it (%s) and not blank; erase the partition" % error)
    vfs.VfsLfs2.mkfs(device, progsize=_UNIT_BYTES, readsize=_UNIT_BYTES)
    return _mount(device)


def _mount(device):
    return vfs.VfsLfs2(device, progsize=_UNIT_BYTES, readsize=_UNIT_BYTES, mtime=False)


def _is_blank(device):
    """Whether there is nothing where LittleFS begins, or what a cut while that was formatted leaves there."""
    block = bytearray(device.ioctl(5, 0))
    device.readblocks(1, block)
    if not _is_empty(block):
        return False
    device.readblocks(0, block)
    return _is_empty(block) or _is_begun(block)


def _is_empty(block):
    return block[0] in (0, 0xFF) and block == bytes([block[0]]) * len(block)


def _is_begun(block):
    # The first program of a format, torn: some bytes of one unit that begins as a superblock, and no more.
    size = _UNIT_BYTES
    if block[size:] != b"\xff" * (len(block) - size):
        return False
    while size and block[size - 1] == 0xFF:
        size -= 1
    size = min(size, len(_SUPERBLOCK))
    return block[:size] == _SUPERBLOCK[:size]
