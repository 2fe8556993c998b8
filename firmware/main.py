"""Run the newest whole application: of the slots app-a and app-b, else what lies beside this file.

`kittiwake deploy` writes a slot's file `ready` last, and only after it has read everything else back; a cut at any
point before leaves the other slot the newest. Usage on the unix port: micropython main.py [CONFIG.json]
"""

import binascii
import gc
import sys

# Collect before the heap is full: the modules' code then lies together, and a block of some KiB can still be had.
gc.threshold(max(8192, gc.mem_free() // 10))


def _number(slot):
    """Of a slot's deployment: the higher the newer; 0 when it is not whole."""
    try:
        with open(slot + "/ready") as file:
            number, check = file.read(32).split()
        return int(number) if int(check, 16) == binascii.crc32(number.encode()) else 0
    except (OSError, ValueError):
        return 0


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
    return None


def _main():
    if len(sys.argv) < 2:
        for slot in sorted(("app-a", "app-b"), key=_number, reverse=True):
            node = _load(slot) if _number(slot) else None
            if node:
                node.run_file(slot + "/node.json")
                return
    from kittiwake_node import node

    node.run_file(sys.argv[1] if len(sys.argv) > 1 else "node.json")


_main()
