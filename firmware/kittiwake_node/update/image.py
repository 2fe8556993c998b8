"""MicroPython's own image on boards with two partitions for it: written into the one that does not run.

Pure: the partitions come in as an argument, the class esp32.Partition or one with its methods. The bootloader starts
the new image once, and goes back to the old one at the next reset unless the new one was confirmed.
"""

from . import slots

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import Buffer, FileSystem, Hash, Partition

    from .files import Verdict
    from .trial import Trial

_BLOCK_BYTES = 4096
_NOTED_BYTES = 65536  # how much is written again after a cut, at most
_RUNNING = 1  # Partition.RUNNING
_ERASE = 6  # ioctl of block devices
_MARK_BYTES = 64
_UNDONE = "undone"


class Image:
    """The image of one release; written to as a file.

    Args:
        partition: esp32.Partition, the class.
        fs: file system with the slots.
        slot: that the release goes to; it remembers where the image is and how much of it.

    Raises:
        OSError: there is one place for an image, and MicroPython runs in it.

    Attributes:
        room_bytes: of the partition that it goes to.
        offset: bytes that are there, of an image that came in part.
    """

    def __init__(self, partition: "type[Partition]", fs: "FileSystem", slot: str) -> None:
        self._partition = partition
        self._fs = fs
        self._path = slot + "/" + slots.IMAGE
        self._running = partition(_RUNNING)
        self._target = self._running.get_next_update()
        self.room_bytes: int = self._target.info()[3]
        self.offset = 0
        try:
            names = slots.read(fs, self._path, _MARK_BYTES).decode().split()
        except ValueError:
            names = []
        self._labels = names[:2]
        count = names[2] if len(names) == 3 else ""
        self._is_undone = count == _UNDONE
        if self._labels == [self._target.info()[4], self._running.info()[4]] and count.isdigit():
            # What is no whole number of blocks is the end of an image that is there.
            self.offset = 0 if int(count) % _BLOCK_BYTES else int(count)

    @property
    def runs(self) -> bool:
        """Whether it is the one that runs."""
        return self._running.info()[4] in self._labels[:1]

    def is_whole(self, size: int, digest: bytes, sha256: "Callable[[], Hash]", buffer: bytearray) -> "Verdict":
        """Whether the partition holds the image, or runs it already: a generator, as files.is_whole.

        Args:
            size: bytes of the image.
            digest: its SHA-256.
            sha256: makes a hash, as hashlib.sha256.
            buffer: for a piece, whose length divides 4096; written to.
        """
        for partition in (self._target, self._running):
            sha = sha256()
            for at in range(0, size, len(buffer)):
                partition.readblocks(at // _BLOCK_BYTES, buffer, at % _BLOCK_BYTES)
                sha.update(memoryview(buffer)[: min(len(buffer), size - at)])
                yield
            if sha.digest() == digest:
                self._note(size, partition)
                return True
        return False

    def write(self, data: "Buffer") -> None:
        """Write the next piece.

        Raises:
            OSError: of the flash.
        """
        view = memoryview(data)
        while view:
            block, at = divmod(self.offset, _BLOCK_BYTES)
            if not at:
                if not self.offset % _NOTED_BYTES:
                    self._note(self.offset, self._target)
                self._target.ioctl(_ERASE, block)
            count = min(len(view), _BLOCK_BYTES - at)
            self._target.writeblocks(block, view[:count], at)
            self.offset += count
            view = view[count:]

    def close(self) -> None:
        """As a file: everything was written already."""

    def forget(self) -> None:
        """What is there is no image, or another release's.

        Raises:
            OSError: of the medium.
        """
        self.offset = 0
        slots.remove(self._fs, self._path)

    def start(self) -> None:
        """Have the bootloader start it at the next reset; where it runs already, nothing is to do.

        Raises:
            OSError: it is none that would start.
        """
        if not self.runs:
            _boot(self._partition, self._target)

    def confirm(self) -> None:
        """Keep it: the bootloader starts no other one from now on.

        Raises:
            OSError: of the flash.
        """
        self._partition.mark_app_valid_cancel_rollback()

    def trial_with(self, trial: "Trial") -> "ImageTrial":
        """The trial of an application together with this image."""
        return ImageTrial(trial, self)

    def undo(self) -> bool:
        """After a trial that failed, have the image before run, and go on running: not every bootloader sees to it.

        Returns:
            Whether the board is to be reset for that; only once, whatever the bootloader does then.

        Raises:
            OSError: of the medium, or the image before is none that would start.
        """
        if self.runs and self._labels[0] != self._labels[1] and not self._is_undone:
            slots.write(self._fs, self._path, ("%s %s %s" % (self._labels[0], self._labels[1], _UNDONE)).encode())
            _boot(self._partition, self._partition(self._labels[1]))
            return True
        self.confirm()  # one that was chosen, and did not just stay, is on trial with the bootloader
        return False

    def _note(self, size: int, partition: "Partition") -> None:
        self._labels = [partition.info()[4], self._running.info()[4]]
        slots.write(self._fs, self._path, ("%s %s %d" % (self._labels[0], self._labels[1], size)).encode())


class ImageTrial:
    """The trial of an application and of the image that it came with; a face of Trial.

    Args:
        trial: of the application.
        image: that is to run.
    """

    def __init__(self, trial: "Trial", image: Image) -> None:
        self._trial = trial
        self._image = image
        self._runs = image.runs

    def missing(self, now_ms: int) -> str:
        """As Trial.missing; when nothing is, the image stays from now on, and the slot is to be settled next.

        Raises:
            OSError: of the flash.
        """
        if not self._runs:
            return "MicroPython's image did not start"
        missing = self._trial.missing(now_ms)
        if not missing:
            self._image.confirm()
        return missing

    def is_over(self, now_ms: int) -> bool:
        """As Trial.is_over; at once where another image runs."""
        return not self._runs or self._trial.is_over(now_ms)


def _boot(partitions: "type[Partition]", partition: "Partition") -> None:
    try:
        partition.set_boot()
    except OSError:
        raise OSError("the bootloader refuses MicroPython's image")
    if partitions(0).info()[4] != partition.info()[4]:  # Partition.BOOT: older MicroPython says nothing of a refusal
        raise OSError("the bootloader keeps another image")
