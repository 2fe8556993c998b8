"""What a test needs of a board, and what of it a board lacks.

Knows words and sizes; a board says elsewhere what it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from kittiwake.errors import UsageError

_HEAP = re.compile(r"heap>(\d+)([kM]?)$")
_UNITS = {"": 1, "k": 1024, "M": 1024 * 1024}
_WORD = re.compile(r"[a-z0-9][a-z0-9_.-]*$", re.IGNORECASE)
_IMPORT = "import:"


class Needs:
    """What one board has.

    Args:
        has: words: of MicroPython's build, and of the bench.
        heap_bytes: free in its heap.
        imports: whether it can import a module.
    """

    def __init__(self, has: Collection[str], heap_bytes: int, imports: Callable[[str], bool]):
        self._has = frozenset(has)
        self._heap_bytes = heap_bytes
        self._imports = imports

    def lacking(self, needs: Iterable[str]) -> list[str]:
        """List the needs that are not met.

        Args:
            needs: words, "heap>64k", "import:MODULE".

        Returns:
            Those, in their order; for a heap, with what there is.

        Raises:
            UsageError: one cannot be read.
        """
        missing = []
        for need in needs:
            heap = _HEAP.match(need)
            if heap:
                if self._heap_bytes <= int(heap[1]) * _UNITS[heap[2]]:
                    missing.append(f"{need} (it has {self._heap_bytes // 1024}k)")
            elif need.startswith(_IMPORT) and need.removeprefix(_IMPORT).replace(".", "_").isidentifier():
                if not self._imports(need.removeprefix(_IMPORT)):
                    missing.append(need)
            elif not _WORD.match(need):
                raise UsageError(f"{need!r} is no need of a test", "name one as i2c, heap>64k or import:asyncio")
            elif need not in self._has:
                missing.append(need)
        return missing
