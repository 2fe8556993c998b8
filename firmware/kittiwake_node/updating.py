"""Updating: takes releases from a gateway into the slot that does not run, and holds a new application to its trial.

Joins the update's stages with the node's files and journal. What only an update needs is loaded when one comes.
"""

import gc
import json
import struct
import sys

from . import imaging
from .errors import FrameError, NodeError
from .io.folder import FolderFs
from .link import exact_json, messages
from .update import slots

# What a reply says; 1 to 4 are a receiver's (update.receiver).
_IDLE = 0
_BUSY = 1
_HERE = 3
_REFUSED = 4
_ON_TRIAL = 5
_BACK = 6
# The last first.
_MODULES = (
    "update.receiver",
    "update.files",
    "io.build_facts",
    "update.signature",
    "update.manifest",
)
_REPLY = "<BHIIIB"
_OFFER_TAIL_BYTES = 8 + 384
_TEXT_BYTES = 160
_RESTART_MS = 1500  # so that the last reply gets out
_QUIET_MS = 60000  # between two refusals that become events
_HURRY_MS = 50  # a loop that is never idle still does a piece of work so often


class Updating:
    """The updates of one node in a slot; the face of updates.Updates.

    Args:
        slot: that it runs in.
        channels: of the node.
        keeping: keeping.Keeping, of its journal.
        note: called as note(text), journals an event.
    """

    restarts = False

    def __init__(self, slot, channels, keeping, note):
        self._slot = slot
        self._note = note
        self._receiver = None
        self._offered = None
        self._trial = None
        self._restart_ms = None
        self._worked_ms = 0
        self._refused_ms = None
        self._running = 0
        self._reason = ""
        self._over_counter = 0  # of what was refused, or taken back
        self._state = _IDLE
        self._fs = FolderFs(".")
        self._other = slots.other(slot)
        if slots.is_on_trial(self._fs, slot):
            from .update import trial

            of_slot = trial.Trial(self._head(slot).trial_s, channels, keeping.journal, str(keeping.problem or ""))
            self._trial = imaging.on_trial(self._fs, slot, of_slot)
            self._state = _ON_TRIAL

    def begin(self):
        """Say what became of the last release; once the node's start is journalled."""
        if self._trial:
            return
        fs = self._fs
        try:
            if slots.number(fs, self._slot, slots.TRIAL):
                slots.settle(fs, self._slot)  # the supply was cut in the middle of that
            self._adopt_keys()
            reason = slots.read(fs, self._other + "/" + slots.TRIED).decode()
            if not reason or slots.number(fs, self._other, slots.READY):
                return
            self._state, self._reason = _BACK, reason
            text = "the new application"
            try:
                self._over_counter = self._head(self._other).counter
                text = "release " + self._name(self._other)
            except FrameError:
                pass  # its head is damaged
            if slots.number(fs, self._other, slots.TRIAL):
                if imaging.undo(fs, self._other):
                    self._restart_ms = 0
                    return
                self._note("%s was taken back: %s" % (text, reason))
                slots.remove(fs, self._other + "/" + slots.TRIAL)
        except (OSError, NodeError):
            pass  # the medium; what is left of the marks changes nothing, and is told at the next start

    def _adopt_keys(self):
        """Trust the keys that a release brought, once it has proved itself: they go to the board's own."""
        raw = slots.read(self._fs, self._slot + "/keys", 4 * 384)
        if raw:
            from .io import build_facts

            names = build_facts.trust(raw)
            slots.remove(self._fs, self._slot + "/keys")
            self._note("releases of these keys are taken from now on: " + ", ".join(names))

    def _head(self, slot):
        from .update import manifest

        return manifest.read_head(slots.read(self._fs, slot + "/head", manifest.HEAD_LIMIT_BYTES))

    def step(self, now_ms, is_busy):
        """Do a piece of work, or look how the trial stands.

        Args:
            now_ms: milliseconds since boot.
            is_busy: the loop has samples or input to see to.
        """
        if self._restart_ms is not None:
            self.restarts = now_ms >= self._restart_ms
        elif is_busy and now_ms - self._worked_ms < _HURRY_MS:
            return
        elif self._trial and now_ms - self._worked_ms >= _HURRY_MS:
            self._worked_ms = now_ms
            self._try(now_ms)
        elif self._offered is not None:
            self._worked_ms = now_ms
            self._prepare(now_ms)
        elif self._receiver:
            self._worked_ms = now_ms
            if self._receiver.step():
                self._look(now_ms)

    @property
    def has_work(self):
        """Whether the loop need not sleep."""
        return self._offered is not None or self._receiver is not None and self._receiver.state == _BUSY

    def close(self):
        """Let go of what is open: an orderly end."""
        if self._receiver:
            self._receiver.close()

    def _try(self, now_ms):
        try:
            missing = self._trial.missing(now_ms)
            if not missing:
                slots.settle(self._fs, self._slot)
                self._trial = None
                self._state = _IDLE
                self._note("release %s proved itself in %d s" % (self._name(self._slot), now_ms // 1000))
                self._adopt_keys()
            elif self._trial.is_over(now_ms):
                slots.write(self._fs, self._slot + "/" + slots.TRIED, missing.encode())
                self._restart_ms = now_ms
        except (OSError, NodeError):
            pass  # the medium, again in a moment; should it never mend, the next start is the old application's

    def _name(self, slot):
        head = self._head(slot)
        return "%s (%d)" % (head.version, head.counter)

    def _look(self, now_ms):
        receiver = self._receiver
        head = receiver.head
        if receiver.state == _HERE and receiver.begin_trial():
            self._note("release %s (%d) is here; its trial begins" % (head.version, head.counter))
            self._restart_ms = now_ms + _RESTART_MS
        elif receiver.state == _REFUSED:
            self._refuse(head.counter, receiver.reason, now_ms)

    def _refuse(self, counter, reason, now_ms):
        """Tell why a release is not taken: the gateway always, the journal not in a storm."""
        self._receiver = None
        self._state, self._reason, self._over_counter = _REFUSED, reason, counter
        if self._refused_ms is None or now_ms - self._refused_ms >= _QUIET_MS:
            self._refused_ms = now_ms
            self._note("release %d is refused: %s" % (counter, reason))

    def handle(self, op, body, now_ms):
        """Carry out an update's command; see link.messages for the arguments.

        Returns:
            (status, body) of the reply. Allocates.
        """
        if self._trial is None and self._restart_ms is None:
            if op == messages.OP_UPDATE_OFFER:
                self._offer(bytes(body))
            elif op == messages.OP_UPDATE_PIECE and len(body) >= 6 and self._receiver:
                entry, offset = struct.unpack_from("<HI", body, 0)
                self._receiver.take(entry, offset, body[6:])
                self._look(now_ms)
        return messages.OK, self._progress()

    def _progress(self):
        receiver = self._receiver
        if receiver is None:
            head = (self._state, 0, 0, self._over_counter, self._counter(), 0)
            return struct.pack(_REPLY, *head) + self._reason.encode()[:_TEXT_BYTES]
        head = (receiver.state, receiver.entry, receiver.offset, receiver.head.counter, self._counter(), receiver.build)
        return struct.pack(_REPLY, *head)

    def _counter(self):
        """Of the release that runs; 0 where it came by the cable."""
        if not self._running:
            try:
                self._running = self._head(self._slot).counter
            except FrameError:
                return 0
        return self._running

    def _offer(self, body):
        raw_head = body[: max(0, len(body) - _OFFER_TAIL_BYTES)]
        if self._receiver and self._receiver.raw_head == raw_head:
            return
        if self._receiver:
            self._receiver.close()
            self._receiver = None
        self._offered = body
        self._over_counter = struct.unpack_from("<I", raw_head, 2)[0] if len(raw_head) >= 6 else 0
        self._state, self._reason = _BUSY, ""
        self._loads = [name for name in _MODULES if "kittiwake_node." + name not in sys.modules]

    def _prepare(self, now_ms):
        """Load what an update takes, a module a turn, then look at what was offered."""
        try:
            if self._loads:
                gc.collect()  # code, and the names in it, want room in one piece
                __import__("kittiwake_node." + self._loads.pop())
                return
            self._begin(self._offered, now_ms)
        except NodeError as error:
            self._refuse(self._over_counter, str(error), now_ms)
        except MemoryError:
            self._refuse(self._over_counter, slots.NO_HEAP, now_ms)
        self._offered = None

    def _begin(self, body, now_ms):
        from .io import build_facts
        from .update import manifest, receiver, signature

        end = max(0, len(body) - _OFFER_TAIL_BYTES)
        raw_head, tail = body[:end], body[end:]
        head = manifest.read_head(raw_head)
        modulus = build_facts.key(tail[:8])
        build = head.build_for(build_facts.arch(), build_facts.machine())
        why = build_facts.objection(head, build, modulus, self._counter())
        if why:
            self._refuse(head.counter, why, now_ms)
            return
        digest = build_facts.sha256(manifest.MAGIC + raw_head).digest()
        verification = signature.Verification(modulus, digest, tail[8:])
        image = imaging.image_of(self._fs, self._other, True) if head.brings_image else None

        self._state = _IDLE
        self._receiver = receiver.Receiver(
            self._fs, self._slot, raw_head, head, build, verification, build_facts.sha256, self._merge, image
        )

    def _merge(self, template, slot, keeps):
        return slots.merge_settings(
            template,
            slots.read(self._fs, self._slot + "/node.json", 8192),
            slot,
            lambda raw: exact_json.parse(raw, json.loads),
            json.dumps,
            keeps,
        )
