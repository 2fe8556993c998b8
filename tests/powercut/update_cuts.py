"""Power cuts in an update, on LittleFS: `micropython update_cuts.py FIRMWARE SETTINGS`, one JSON report on stdout.

An update runs once, from the offer to the end of its trial, over flash that logs every operation. Then the power is
cut at operations of it, before them and in their middle: the board starts as firmware/main.py decides, from a slot that
must be whole, byte for byte; and offered the release again, it must end with the new application.

Settings (JSON): cuts (number, spread evenly; 0 for every operation), sabotage ("" or a fault put in on purpose),
again (the slot holds a release that was taken back before), alone (the release has configuration alone), first (so
many of these cuts and no more).
"""
# ruff: noqa: UP031 (MicroPython)

import binascii
import hashlib
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])

import flash
import vfs

from kittiwake_node.update import manifest, receiver, slots

FIRMWARE, SETTINGS = sys.argv[1], json.loads(sys.argv[2])
BLOCK_BYTES, BLOCKS = 4096, 64
SAME = bytes(range(256)) * 6
OLD = {"node.json": b'{"device": "d"}', "k/a.mpy": b"old a" * 150, "k/b.mpy": SAME, "k/gone.mpy": b"gone" * 40}
NEW = {"k/a.mpy": b"new a" * 200, "k/b.mpy": SAME, "k/n/c.mpy": b"new c" * 220, "d.kwm": b""}
for number in range(8):
    NEW["k/m%d/x.mpy" % (number % 3) + str(number)] = bytes([number]) * (300 + 400 * number)
ALONE = SETTINGS.get("alone", False)
if ALONE:
    NEW = {"node.json": b'{"device": "d", "x": 2}'}
SETTLED = dict(OLD if ALONE else NEW)
SETTLED["node.json"] = NEW.get("node.json", OLD["node.json"])
OLDER = {"node.json": b"{}", "k/a.mpy": b"older" * 100, "k/b.mpy": b"older b" * 200}


class Good:
    """A signature that is good: judging them is tested elsewhere."""

    def step(self):
        return True


def mounted(device):
    return vfs.VfsLfs2(device, progsize=128, readsize=128)


def put(fs, slot, files, number):
    for path, content in files.items():
        parts = (slot + "/" + path).split("/")
        for end in range(1, len(parts)):
            try:
                fs.mkdir("/".join(parts[:end]))
            except OSError:
                pass
        with fs.open(slot + "/" + path, "wb") as file:
            file.write(content)
    slots.mark(fs, slot, slots.READY, number)


def main_of(fs):
    """The functions of firmware/main.py, its files being those of `fs`."""
    with open(FIRMWARE + "/main.py") as file:
        source = file.read()
    names = {"open": lambda path, mode="r": fs.open(path, mode)}
    exec(source[: source.rindex("_main()")], names)
    return names


def start(fs):
    """What main.py does before it imports anything: the slot that it starts, and whether that is on trial."""
    main = main_of(fs)
    for slot in sorted(slots.NAMES, key=main["_standing"], reverse=True):
        number, is_on_trial = main["_standing"](slot)
        if not number:
            continue
        if is_on_trial:
            main["_write_tried"](slot, slots.RESET)
        return slot, is_on_trial
    return None, False


def release(new):
    raw = []
    for path in sorted(new):
        raw.append(manifest.pack_entry(path, len(new[path]), hashlib.sha256(new[path]).digest()))
    table = b"".join(raw)
    size = sum([len(content) for content in new.values()])
    build = manifest.Build("x64", (), len(new), size, len(table), hashlib.sha256(table).digest())
    return manifest.pack_head(
        manifest.Head(manifest.KEEPS if ALONE else 0, 2, 20, (1, 24), (1, 29), "2", "", [build])
    ), table


def update(fs, slot):
    """Take the release into the other slot, and mark it."""
    raw_head, table = release(NEW)
    taker = receiver.Receiver(
        fs,
        slot,
        raw_head,
        manifest.read_head(raw_head),
        0,
        Good(),
        hashlib.sha256,
        lambda template, at, keeps: template or OLD["node.json"],
    )
    listed = [NEW[path] for path in sorted(NEW)]
    while taker.state in (receiver.BUSY, receiver.WANTS):
        if taker.state == receiver.WANTS:
            whole = table if taker.entry == manifest.TABLE else listed[taker.entry]
            taker.take(taker.entry, taker.offset, whole[taker.offset : taker.offset + 512])
        taker.step()
    if taker.state != receiver.HERE:
        raise RuntimeError(taker.reason)
    slots.mark(fs, taker.target, slots.TRIAL, slots.next_number(fs))
    return taker.target


def whole(fs, slot):
    """Which application a slot is, byte for byte; "" for none."""
    there = {}
    for path, _ in slots.walk(fs, slot):
        if path not in manifest.MARKS:
            with fs.open(slot + "/" + path, "rb") as file:
                there[path] = file.read()
    for name, files in (("old", OLD), ("new", SETTLED), ("older", OLDER)):
        if there == files:
            return name
    return ""


def play(device):
    """From the offer to the end of the trial."""
    fs = mounted(device)
    target = update(fs, "app-a")
    slot, is_on_trial = start(fs)
    if slot != target or not is_on_trial:
        raise RuntimeError("the new slot does not start on trial")
    slots.settle(fs, slot)


def judge(image, faults):
    """What a start after a cut finds, and whether it gets to the new application in the end."""
    device = flash.Flash(BLOCK_BYTES, BLOCKS, image)
    fs = mounted(device)
    slot, is_on_trial = start(fs)
    what = whole(fs, slot) if slot else ""
    if what not in ("old", "new"):
        faults.append("%s starts, and is %s" % (slot, what or "not whole"))
        return "broken"
    if what == "old":
        target = update(fs, slot)
        slot, is_on_trial = start(fs)
        if slot != target or whole(fs, slot) != "new":
            faults.append("the release does not get there after the cut")
            return what
    if is_on_trial:
        slots.settle(fs, slot)
    slot, is_on_trial = start(mounted(device))
    if is_on_trial or whole(fs, slot) != "new":
        faults.append("the new application is not the one that stays")
    return what


def sabotage():
    kind = SETTINGS.get("sabotage", "")
    if kind == "mark-first":
        # The slot is marked before it is whole.
        bring = receiver.Receiver._bring

        def hasty(self, number, path, size, digest):
            if not number:
                slots.mark(self._fs, self.target, slots.TRIAL, 9)
            return bring(self, number, path, size, digest)

        receiver.Receiver._bring = hasty
    elif kind == "disown-backwards":
        # TRIED goes before TRIAL.
        def disown(fs, slot):
            for name in (slots.TRIED, slots.READY, slots.TRIAL):
                slots.remove(fs, slot + "/" + name)

        slots.disown = disown


def main():
    device = flash.Flash(BLOCK_BYTES, BLOCKS)
    vfs.VfsLfs2.mkfs(device, progsize=128, readsize=128)
    fs = mounted(device)
    put(fs, "app-a", OLD, 2)
    put(fs, "app-b", OLDER, 1)
    if SETTINGS.get("again"):
        # app-b holds a release that was tried and taken back.
        slots.remove(fs, "app-b/ready")
        slots.mark(fs, "app-b", slots.TRIAL, 5)
        slots.write(fs, "app-b/tried", b"it raised ValueError")
    sabotage()
    before = device.begin_log()
    play(device)
    log, device.log = device.log, None
    wanted = SETTINGS["cuts"] or 2 * len(log)
    points = sorted({i * (2 * len(log) - 1) // max(1, wanted - 1) for i in range(wanted)})
    points = points[: SETTINGS.get("first", len(points))]
    faults, ends, done = [], {"old": 0, "new": 0, "broken": 0}, 0
    image = bytearray(before)
    for point in points:
        k, is_torn = point // 2, point % 2
        while done < k:
            flash.apply(image, BLOCK_BYTES, log[done])
            done += 1
        cut = bytearray(image)
        if is_torn:
            block, offset, data = log[k]
            if data is None:
                flash.apply(cut, BLOCK_BYTES, (block, -1, None))
                cut[block * BLOCK_BYTES + 1000 : (block + 1) * BLOCK_BYTES] = image[
                    block * BLOCK_BYTES + 1000 : (block + 1) * BLOCK_BYTES
                ]
            else:
                flash.apply(cut, BLOCK_BYTES, (block, offset, data[: len(data) // 2]))
        ends[judge(cut, faults)] += 1
    report = {"operations": len(log), "cuts": len(points), "ends": ends, "faults": len(faults), "first": faults[:3]}
    report["crc"] = binascii.crc32(bytes(image))
    print(json.dumps(report))


main()
