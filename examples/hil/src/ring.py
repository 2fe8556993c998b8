"""A ring buffer of 16-bit numbers that allocates nothing once it is made."""

from array import array

import micropython


class Ring:
    """Numbers go in at one end and come out at the other.

    Args:
        size: how many it holds, a power of two.
    """

    def __init__(self, size):
        if size < 2 or size & (size - 1):
            raise ValueError("size must be a power of two")
        self._items = array("H", bytes(2 * size))
        self._state = array("I", [0, 0, size - 1])  # pushed, popped, mask

    def push(self, value):
        """Put a number in; False when the ring is full."""
        return _push(self._items, self._state, value)

    def pop(self):
        """Take the oldest number out; -1 when the ring is empty."""
        return _pop(self._items, self._state)

    def __len__(self):
        return self._state[0] - self._state[1]


@micropython.viper
def _push(items: ptr16, state: ptr32, value: int) -> bool:
    pushed = state[0]
    if pushed - state[1] > state[2]:
        return False
    items[pushed & state[2]] = value
    state[0] = pushed + 1
    return True


@micropython.viper
def _pop(items: ptr16, state: ptr32) -> int:
    popped = state[1]
    if popped == state[0]:
        return -1
    value = items[popped & state[2]]
    state[1] = popped + 1
    return value
