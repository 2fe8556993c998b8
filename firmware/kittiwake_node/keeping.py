"""Keeping: where the records are kept: in the partition that is configured, or in memory when that will not do.

A board whose flash is full, foreign or broken must still detect, act and tell: its journal is then one in memory, with
an id of its own, gone with the supply. It knows storage and journal, and not what is in a record.
"""

from .errors import StorageError
from .store.journal import OPEN_ERRORS, TAIL_BYTES, Journal

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import FileSystem, Wear

_PROBE = "probe"
_STATES = {
    "storage-absent": "absent",
    "storage-small": "full",
    "storage-full": "full",
    "storage-read-only": "read-only",
    "storage-foreign": "foreign",
    "journal-foreign": "foreign",
    "journal-mixed": "foreign",
    "journal-newer": "foreign",
}
_ERRORS: dict[int | None, str] = {2: "storage-absent", 19: "storage-absent"}  # by errno
_ERRORS.update(OPEN_ERRORS)


class Keeping:
    """Opens the journal where it can be kept.

    Args:
        make_storage: called without arguments, gives (file system, what counts its wear or None).
        make_memory: the same, for a file system in memory.
        new_id: see store.journal.Journal.

    Attributes:
        fs: the file system in use.
        wear: has programmed_bytes and erased_blocks, or None.
        journal: the Journal, open.
        problem: the StorageError for which it is in memory, or None.

    Raises:
        ConfigError: `make_storage` knows no such storage.
        StorageError: not even memory serves.
    """

    def __init__(
        self,
        make_storage: "Callable[[], tuple[FileSystem, Wear | None]]",
        make_memory: "Callable[[], tuple[FileSystem, Wear | None]]",
        new_id: "Callable[[], int]",
    ) -> None:
        self.problem: "StorageError | None" = None
        try:
            self.fs, self.wear = make_storage()
            _probe(self.fs)
            self.journal = Journal(self.fs, new_id, tail_bytes=TAIL_BYTES)
            return
        except StorageError as error:
            self.problem = error
        except OSError as error:
            self.problem = StorageError(_ERRORS.get(error.errno, "storage-failed"), "the medium answered %s" % error)
        self.fs, self.wear = make_memory()
        self.journal = Journal(self.fs, new_id)

    @property
    def state(self) -> str:
        """How the storage is: one of payload.STORAGE_STATES."""
        if self.problem:
            return _STATES.get(self.problem.code, "failed")
        if self.journal.failed:
            return "failed"
        return "full" if self.journal.is_full else "ok"


def _probe(fs: "FileSystem") -> None:
    # A medium that takes no writes says so now, while there is a way out, and not at the first alert. One program.
    with fs.open(_PROBE, "wb"):
        pass
