"""Who is there: the retained statuses of the bridge and its devices, kept true over crashes of either.

The bridge has a will; a device has none, as a connection carries one. So a bridge that was killed leaves its devices
`online`. Which they are is written in a retained list at the broker before it is said, and the next process reads it
and says what is no longer so: nothing is kept here that the broker does not have. A device that was said to be off line
is on no list: one that never comes again is not spoken of again.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable

from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.names import KNOWN_LIMIT
from kittiwake.bridge.retained import Retained
from kittiwake.peers import json_text
from kittiwake.peers.complaints import Complaints
from kittiwake.publish.publisher import Policy
from kittiwake_node.link.messages import is_device_id

log = logging.getLogger(__name__)

ONLINE = b"online"
OFFLINE = b"offline"
_ECHOES = 64  # of our own lists, which come back to us, perhaps after newer ones were written
_CLAIMS_LIMIT_BYTES = 1024 * 1024


class Presence:
    """Statuses of one bridge.

    Args:
        policy: names the topics.
        bridge_id: of this bridge.
        find: gives the link on which a device is, or None.
        retained: where messages are left, and left again.
        publish: called as publish(topic, payload) to leave a retained message once, only while connected.
        on_forgotten: called with a device id when somebody cleared the status of a device that is not here.

    Attributes:
        known: devices that this process has had.
    """

    def __init__(
        self,
        policy: Policy,
        bridge_id: str,
        find: Callable[[str], DeviceLink | None],
        retained: Retained,
        publish: Callable[[str, bytes], None],
        on_forgotten: Callable[[str], object] = lambda device: None,
    ):
        self._policy = policy
        self._find, self._retained, self._publish = find, retained, publish
        self._on_forgotten = on_forgotten
        self.topic = policy.status_topic(bridge_id)
        self._claims_topic = f"{policy.base}/{bridge_id}/devices"
        self.known: set[str] = set()
        self._listed: set[str] = set()  # those in the list that was written last
        self._written: deque[int] = deque(maxlen=_ECHOES)  # hashes
        self._leaves = False
        self._complaints = Complaints(log)

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics to subscribe to."""
        return self._claims_topic, self._policy.status_topic("+")

    @property
    def will(self) -> tuple[str, bytes]:
        """The bridge's last will."""
        return self.topic, OFFLINE

    def on_connected(self) -> None:
        """Say how things are now."""
        self._retained.say(self.topic, ONLINE)
        if self.known:
            self._write_claims()
        for device in sorted(self.known):
            self._say(device)

    def on_status(self, link: DeviceLink, is_online: bool) -> None:
        """A device came or went."""
        device = link.device
        if device is None:
            return
        self.known.add(device)
        if is_online:
            self._write_claims()
        self._say(device)

    def on_settled(self, topic: str) -> None:
        """The broker has what was said on a topic: who is off line there need not be in the list any more."""
        if self._retained.sent(topic) == OFFLINE and self._device_of(topic) in self._listed:
            self._write_claims()

    def on_message(self, topic: str, payload: bytes) -> bool:
        """Take a message of `filters`. Returns whether it was one."""
        if topic == self._claims_topic:
            self._take_claims(payload)
            return True
        device = self._device_of(topic)
        if not device:
            return False
        if topic == self.topic and payload != ONLINE and not self._leaves and self._retained.is_settled(topic):
            # A board that speaks MQTT itself has our name, say, and has gone: we are here. What was retained before we
            # came is no news: it arrives before our own word is confirmed.
            self._complaints.tell(f"{topic} says {payload[:16]!r} of another's; a device has the bridge's id?")
            self._retained.say(self.topic, ONLINE)
        if payload in (OFFLINE, b"") and device in self.known:
            if self._is_online(device):
                # Another bridge had it before us and has just found that it has it no longer, or somebody cleared it.
                self._say(device)
            elif not payload:
                self.known.discard(device)
                self._retained.drop(topic)
                log.info("device %s is forgotten", device)
                self._on_forgotten(device)
        return True

    def goodbye(self) -> None:
        """Say that all of it goes off line: an orderly end."""
        self._leaves = True
        for device in sorted(self.known):
            self._publish(self._policy.status_topic(device), OFFLINE)
        self._publish(self._claims_topic, b"[]")
        self._publish(self.topic, OFFLINE)

    def _take_claims(self, payload: bytes) -> None:
        if hash(payload) in self._written:
            return
        try:
            names = json_text.read(payload or b"[]", _CLAIMS_LIMIT_BYTES)
        except json_text.Refusal:
            names = None
        if not isinstance(names, list):
            self._complaints.tell(f"{self._claims_topic} holds no list; it is written anew")
            names = []
        claimed = [name for name in names if isinstance(name, str) and is_device_id(name.encode(errors="replace"))]
        for device in sorted(set(claimed[:KNOWN_LIMIT])):
            if not self._is_online(device):
                self._publish(self._policy.status_topic(device), OFFLINE)
        self._write_claims()

    def _write_claims(self) -> None:
        # Whom the broker has as on line stays in the list until it has heard otherwise.
        sent, topic = self._retained.sent, self._policy.status_topic
        self._listed = {name for name in self.known if self._is_online(name) or sent(topic(name)) == ONLINE}
        claims = json.dumps(sorted(self._listed)).encode()
        self._written.append(hash(claims))
        self._retained.say(self._claims_topic, claims)

    def _say(self, device: str) -> None:
        # Behind the list that names it.
        status = ONLINE if self._is_online(device) else OFFLINE
        self._retained.say(self._policy.status_topic(device), status, goes_last=True)

    def _device_of(self, topic: str) -> str:
        head, _, tail = topic.rpartition("/")
        is_status = tail == "status" and head.startswith(self._policy.base + "/")
        return head[len(self._policy.base) + 1 :] if is_status else ""

    def _is_online(self, device: str) -> bool:
        link = self._find(device)
        return link is not None and link.is_online
