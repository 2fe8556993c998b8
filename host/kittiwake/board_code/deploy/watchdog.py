"""A watchdog that a node has started goes on at the prompt: here a timer feeds it."""


def keep_fed(path):
    """Feed the watchdog by a timer, when the node has one.

    The timer dies with the interpreter. Where a watchdog was not running yet it is now, and the node that starts next
    wants it anyway.

    Args:
        path: of the node's configuration; one that is not there has no watchdog.
    """
    global _dog, _feeder
    try:
        import json

        import machine

        with open(path) as file:
            seconds = json.load(file).get("watchdog_s", 0)
        if seconds:
            try:
                _feeder = machine.Timer(-1)
            except ValueError:
                _feeder = machine.Timer(0)
            _dog = machine.WDT(timeout=1000 * seconds)
            _feeder.init(period=250 * seconds, callback=lambda timer: _dog.feed())
    except (ImportError, OSError, ValueError, AttributeError):
        pass
