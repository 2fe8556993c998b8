"""Learned baselines beside the journal: read at start, written once learned, removed when they are to be learned anew.

It uses the file system it is given; what a baseline is, is detect/baseline.py's.
"""

from ..errors import StorageError

if False:  # for mypy alone
    from collections.abc import Sequence

    from kittiwake_types import FileSystem, Learner


class Baselines:
    """The learned baselines of a node.

    Args:
        fs: has `open` and `remove`, as VfsLfs2.
        learners: list of (name, detect.baseline.Baseline); the name makes the file's.

    Attributes:
        problem: why a stored baseline was not taken, or "".
    """

    def __init__(self, fs: "FileSystem", learners: "Sequence[tuple[str, Learner]]") -> None:
        self._fs = fs
        self._learners = learners
        self._saved: set[str] = set()
        self.problem = ""
        for name, learner in learners:
            try:
                with fs.open(_file(name), "rb") as file:
                    learner.restore(file.read())
                self._saved.add(name)
            except OSError:
                continue  # never learned: it learns now
            except StorageError as error:
                self.problem = "%s: %s" % (name, error)

    def save(self) -> list[str]:
        """Write what has been learned since. Returns the names; what a medium refuses lasts until the next start."""
        names = []
        for name, learner in self._learners:
            if learner.learned and name not in self._saved:
                self._saved.add(name)
                try:
                    with self._fs.open(_file(name), "wb") as file:
                        file.write(learner.dump())
                except OSError as error:
                    self.problem = "%s: not written, %s" % (name, error)
                    continue
                names.append(name)
        return names

    def clear(self, prefix: str) -> int:
        """Forget the baselines whose names begin so; they learn anew from the next block on. Returns how many."""
        count = 0
        for name, learner in self._learners:
            if name.startswith(prefix):
                learner.clear()
                self._saved.discard(name)
                try:
                    self._fs.remove(_file(name))
                except OSError:
                    pass  # it was never written
                count += 1
        return count


def _file(name: str) -> str:
    return "baseline-%s.kwb" % name
