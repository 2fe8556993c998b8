"""The watchdog: resets a board whose loop has stopped. Once started it cannot be stopped, so it is off by default."""


def start(timeout_s):
    """Start the board's watchdog.

    Args:
        timeout_s: seconds without `feed` after which the board resets; 0 for none.

    Returns:
        What to call every turn of the loop. It does not allocate.

    Raises:
        ValueError: the board has no watchdog, or none that waits so long.
    """
    if not timeout_s:
        return rest
    try:
        from machine import WDT

        return WDT(timeout=timeout_s * 1000).feed
    except ImportError:
        raise ValueError("this board has no watchdog; leave watchdog_s out")


def rest():
    """Nobody watches."""
