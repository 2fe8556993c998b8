"""Receiver: takes a release into the slot that does not run, a bounded piece of work at a time.

Pure: file system, hash and what the board is come in as arguments. Nothing is written before the head's signature was
good. A file that lies there already, or in the slot that runs, is not asked for; each is hashed as it then lies on the
medium. So there is nothing to remember over a reset: what is there shows what is missing.
"""

from ..errors import FrameError
from . import files, manifest, slots

if False:  # for mypy alone
    from collections.abc import Callable, Iterator

    from kittiwake_types import File, FileSystem, Hash

    from .files import Verdict, Work
    from .image import Image
    from .manifest import Head
    from .signature import Verification

BUSY = 1
WANTS = 2
HERE = 3
REFUSED = 4
PIECE_BYTES = 512
_ENOSPC = 28
_SETTINGS_LIMIT_BYTES = 8192
HEAD = "head"
_NOT_KEPT = manifest.MARKS + (manifest.KEYS, files.SETTINGS)


class Receiver:
    """One release on its way into a slot.

    Args:
        fs: file system with the slots.
        slot: that runs.
        raw_head: of the release, read already.
        head: what was read.
        build: index of the board's build.
        verification: of the head's signature.
        sha256: makes a hash, as hashlib.sha256.
        merge: called as merge(template, slot, keeps) with the settings of the release, None where it brings none, the
            name of the slot that they are for, and whether what runs stays; gives node.json. Raises ValueError.
        image: where MicroPython's image goes; None for a release without one.

    Attributes:
        head, raw_head, build: as they came.
        target: the slot that it goes to.
        state: BUSY (call `step`), WANTS (a piece), HERE (whole; call `begin_trial`) or REFUSED.
        entry, offset: of the piece that is wanted.
        reason: of the refusal.
    """

    def __init__(
        self,
        fs: "FileSystem",
        slot: str,
        raw_head: bytes,
        head: "Head",
        build: int,
        verification: "Verification",
        sha256: "Callable[[], Hash]",
        merge: "Callable[[bytes | None, str, bool], bytes]",
        image: "Image | None" = None,
    ) -> None:
        self._fs = fs
        self._slot = slot
        self.target = slots.other(slot)
        self.raw_head = raw_head
        self.head = head
        self.build = build
        self._build = head.builds[build]
        self._sha256 = sha256
        self._merge = merge
        self._image = image
        self._buffer = bytearray(PIECE_BYTES)
        self._file: "File | Image | None" = None
        self._size = 0
        self._brought: "set[str]" = set()
        self.state = BUSY
        self.entry = self.offset = 0
        self.reason = ""
        self._work = self._go(verification)

    def step(self) -> bool:
        """Do one bounded piece of work. Returns whether there was one."""
        if self.state != BUSY:
            return False
        try:
            next(self._work)
        except StopIteration:
            self.state = REFUSED if self.reason else HERE
        except (files.Refusal, FrameError) as error:
            self._refuse(str(error))
        except OSError as error:
            self._fail(error)
        except MemoryError:
            self._refuse(slots.NO_HEAP)
        return True

    def take(self, entry: int, offset: int, data: bytes) -> bool:
        """Take a piece. One that is not the wanted one changes nothing.

        Args:
            entry: number of the file in the table, or manifest.TABLE.
            offset: of its first byte.
            data: at most PIECE_BYTES.

        Returns:
            Whether it was taken.
        """
        if self.state != WANTS or not self._file or (entry, offset) != (self.entry, self.offset):
            return False
        if not 0 < len(data) <= min(PIECE_BYTES, self._size - offset):
            return False
        try:
            self._file.write(data)
        except OSError as error:
            self._fail(error)
            return False
        self.offset += len(data)
        if self.offset == self._size:
            self.state = BUSY
        return True

    def begin_trial(self) -> bool:
        """Mark what is HERE as on trial, and have MicroPython's image start with it. Returns False when REFUSED."""
        try:
            slots.mark(self._fs, self.target, slots.TRIAL, slots.next_number(self._fs))
            if self._image:
                self._image.start()
            return True
        except OSError as error:
            self._refuse("it cannot be tried: %s" % error)
        try:
            slots.remove(self._fs, self.target + "/" + slots.TRIAL)
        except OSError:
            pass  # the trial ends at once, then
        return False

    def close(self) -> None:
        """Let go of what is open: LittleFS forbids removing an open file."""
        self._work.close()
        if self._file:
            self._file.close()
            self._file = None

    def _refuse(self, reason: str) -> None:
        self.reason = reason
        self.state = REFUSED
        try:
            self.close()
        except OSError:
            pass  # what could not be written is refused already

    def _fail(self, error: OSError) -> None:
        is_full = error.errno == _ENOSPC and not self.reason
        self._refuse("the file system is full" if is_full else "the medium failed: %s" % error)
        if is_full:
            self.state = BUSY
            self._work = self._give_room_back()

    def _give_room_back(self) -> "Work":
        # The journal lives in the same file system.
        for path in [path for path, _ in slots.walk(self._fs, self.target)]:
            slots.remove(self._fs, self.target + "/" + path)
            yield

    def _go(self, verification: "Verification") -> "Work":
        while True:
            is_good = verification.step()
            if is_good is not None:
                break
            yield
        if not is_good:
            raise files.Refusal("its signature is not good")
        fs, target, build = self._fs, self.target, self._build
        slots.disown(fs, target)
        yield
        place = target + "/" + files.TABLE
        files.make_folders(fs, place)
        if not (yield from self._is(place, build.table_bytes, build.digest)):
            if self._image:
                self._image.forget()  # what is there of it may be another release's
            yield from self._fetch(manifest.TABLE, place, build.table_bytes, build.digest)
        # Open all the while: finding a file among a hundred costs LittleFS more than reading an entry.
        with fs.open(place, "rb") as file:
            image = manifest.IMAGE_FILE if self._image else ""
            self._brought = yield from files.judge(fs, file, build, target, self._kept, image)
            number = at = 0
            while at < build.table_bytes:
                path, size, digest, at = files.entry(file, at)
                if self._image:
                    yield from self._bring_image(self._image, number, size, digest)
                else:
                    yield from self._bring(number, files.place(path), size, digest)
                number += 1
        if self.head.keeps_application:
            yield from self._keep()
        self._write_settings()
        yield
        slots.write(fs, target + "/" + HEAD, self.raw_head)
        slots.remove(fs, place)

    def _bring(self, number: int, place: str, size: int, digest: bytes) -> "Work":
        """Have one file in place: left there, copied from the slot that runs, or asked for."""
        at = self.target + "/" + place
        if (yield from self._is(at, size, digest)):
            return
        files.make_folders(self._fs, at)
        running = self._slot + "/" + place
        if (yield from self._is(running, size, digest)):
            yield from files.copy(self._fs, running, at, self._buffer)
            if (yield from self._is(at, size, digest)):
                return
        yield from self._fetch(number, at, size, digest)

    def _bring_image(self, image: "Image", number: int, size: int, digest: bytes) -> "Work":
        """Have MicroPython's image in its partition: left there, or asked for, from where a cut left it."""
        if size > image.room_bytes:
            room = image.room_bytes >> 10
            raise files.Refusal("its image has %d KiB, and the partition %d" % (1 + (size - 1 >> 10), room))
        if not 0 < image.offset < size:
            if (yield from image.is_whole(size, digest, self._sha256, self._buffer)):
                return
            image.forget()
        self._file = image
        self.entry, self.offset, self._size = number, image.offset, size
        self.state = WANTS
        yield  # until `take` has had all of it
        self._file = None
        if not (yield from image.is_whole(size, digest, self._sha256, self._buffer)):
            image.forget()
            raise files.Refusal("MicroPython's image is not what its hash says")

    def _kept(self, brought: "set[str]") -> "Iterator[tuple[str, int]]":
        """Path and size of what a release without an application leaves as it is."""
        for path, size in slots.walk(self._fs, self._slot) if self.head.keeps_application else ():
            if path not in brought and path not in _NOT_KEPT:
                yield path, size

    def _keep(self) -> "Work":
        for path, _ in self._kept(self._brought):
            running, at = self._slot + "/" + path, self.target + "/" + path
            if (yield from files.is_same(self._fs, running, at, self._buffer)):
                continue
            files.make_folders(self._fs, at)
            yield from files.copy(self._fs, running, at, self._buffer)
            if not (yield from files.is_same(self._fs, running, at, self._buffer)):
                raise files.Refusal("%s does not stay as it is written" % at)

    def _fetch(self, number: int, at: str, size: int, digest: bytes) -> "Work":
        self._file = self._fs.open(at, "wb")
        self.entry, self.offset, self._size = number, 0, size
        if size:
            self.state = WANTS
            yield  # until `take` has had all of it
        self._file.close()
        self._file = None
        if not (yield from self._is(at, size, digest)):
            slots.remove(self._fs, at)
            raise files.Refusal("%s is not what its hash says" % at)

    def _is(self, path: str, size: int, digest: bytes) -> "Verdict":
        return (yield from files.is_whole(self._fs, path, size, digest, self._sha256, self._buffer))

    def _write_settings(self) -> None:
        template = slots.read(self._fs, self.target + "/" + files.TEMPLATE, _SETTINGS_LIMIT_BYTES)
        try:
            settings = self._merge(template or None, self.target, self.head.keeps_application)
        except ValueError as error:
            raise files.Refusal(str(error))
        slots.write(self._fs, self.target + "/" + files.SETTINGS, settings)
