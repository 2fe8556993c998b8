"""Run the newest application that may start: of the slots app-a and app-b, else what lies beside this file.

A slot counts by its file `ready`, which `kittiwake deploy` writes last; so a cut at any point before leaves the other
slot the newest. One that came as a release has `trial` instead: it is started once, for which `tried` is written
before, and counts for good when its node has written `ready`. Where MicroPython's image came with it (`image`), the
older slot does not run by the new image: after a reset the bootloader has the old one.
Usage on the unix port: micropython main.py [CONFIG.json]
"""

import binascii
import gc
import sys

# Collect before the heap is full: the modules' code then lies together, and a block of some KiB can still be had.
gc.threshold(max(8192, gc.mem_free() // 10))


def _number(path):
    """Of a slot's mark: the higher the newer; 0 when it is not whole."""
    try:
        with open(path) as file:
            number, check = file.read(32).split()
        return int(number) if int(check, 16) == binascii.crc32(number.encode()) else 0
    except (OSError, ValueError):
        return 0


def _standing(slot):
    """(number, whether it is on trial) of a slot; number 0 when it may not start."""
    number = _number(slot + "/ready")
    if number:
        return number, False
    try:
        open(slot + "/tried").close()
        return 0, True
    except OSError:
        return _number(slot + "/trial"), True


def _write_tried(slot, why):
    with open(slot + "/tried", "w") as file:
        file.write(why)


def _load(slot):
    """Import a slot's node, or say why it cannot be and forget what of it was imported."""
    sys.path.insert(0, slot)
    try:
        from kittiwake_node import node

        return node
    except Exception as error:  # noqa: BLE001 (whatever keeps it from loading, the older one may still run)
        sys.path.remove(slot)
        for name in list(sys.modules):
            if name.startswith("kittiwake_node"):
                del sys.modules[name]
        print("kittiwake: %s does not load:" % slot)
        sys.print_exception(error)
        if _standing(slot)[1]:
            _write_tried(slot, _reason(error))
            _undo_image(slot)
    return None


def _undo_image(slot):
    try:
        open(slot + "/image").close()
        from machine import reset
    except (OSError, ImportError):
        return
    reset()


def _reason(error):
    return "it raised %s: %s" % (type(error).__name__, str(error)[:80])


def _run(node, slot):
    """Run a slot's node; one on trial that raises gives way to the older one, on a board that was reset."""
    is_on_trial = _standing(slot)[1]
    try:
        node.run_file(slot + "/node.json")
    except Exception as error:
        if not is_on_trial or not _standing(slot)[1]:
            raise
        print("kittiwake: %s fails its trial:" % slot)
        sys.print_exception(error)
        _write_tried(slot, _reason(error))
        node.machine_facts.restart()


def _main():
    if len(sys.argv) < 2:
        for slot in sorted(("app-a", "app-b"), key=_standing, reverse=True):
            number, is_on_trial = _standing(slot)
            if not number:
                continue
            if is_on_trial:
                _write_tried(slot, "it was reset before it had proved itself")
            node = _load(slot)
            if node:
                _run(node, slot)
                return
    from kittiwake_node import node

    node.run_file(sys.argv[1] if len(sys.argv) > 1 else "node.json")


_main()
