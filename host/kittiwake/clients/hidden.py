"""What a subscriber does not get to see, as far as a subscriber can know it. Pure: no broker, no clock.

A broker may refuse a subscription, and says so. It may also grant it and hide messages, as Mosquitto does with an ACL
file, and says nothing; then a few things give it away: retained statuses that do not come, statuses of devices that a
bridge claims, and records of devices that are on line: none at all, or holes in their numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from paho.mqtt.client import topic_matches_sub

SETTLE_S = 3.0  # what is retained comes at once
GAP_S = 15.0  # a record that was refused, or is sent again, comes out of its order
QUIET_S = 150.0  # a node tells its health every minute, unless configured otherwise
_DEVICES_LIMIT = 1024
_MISSING_LIMIT = 4096
_SHOWN = 5


def all_refused(refused: dict[str, str]) -> tuple[str, str]:
    """Say that the broker refuses every subscription.

    Args:
        refused: filter -> reason.

    Returns:
        (what is wrong, the mend).
    """
    topic, reason = next(iter(refused.items()))
    more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
    return (
        f"the broker refuses the subscription to {topic}{more}: {reason}",
        "let this user read it in the broker's ACL",
    )


class View:
    """What came of what there must be.

    Args:
        filters: that were subscribed to.
        base: first levels of the topics.
        user: who subscribes, in words.
    """

    def __init__(self, filters: Sequence[str], base: str, user: str):
        self._filters, self._base, self._user = list(filters), base, user
        self._begun_s: float | None = None
        self._has_come = self._is_settled = False
        self._statuses: set[str] = set()
        self._silent: dict[str, float] = {}  # device on line of which no record has come -> since when
        self._heard: set[str] = set()
        self._claimed: set[str] = set()
        self._records: dict[tuple[str, str], _Sequence] = {}

    def subscribed(self, refused: dict[str, str], now_s: float) -> list[str]:
        """Take the broker's answer.

        Args:
            refused: filter -> reason.
            now_s: seconds that never go back.

        Returns:
            Lines for the user.
        """
        self._begun_s, self._is_settled, self._has_come = now_s, False, False
        for kept in (self._statuses, self._silent, self._heard):
            kept.clear()
        self._claimed.clear()
        self._records.clear()  # what passed while we were away is no hole
        return [
            f"the broker refuses the subscription to {topic}: {reason}; its ACL has to let {self._user} read it"
            for topic, reason in refused.items()
        ]

    def take(self, topic: str, payload: bytes, now_s: float) -> None:
        """Take a message.

        Args:
            topic: as published.
            payload: bytes.
            now_s: seconds that never go back.
        """
        self._has_come = True
        device, _, leaf = topic.removeprefix(self._base + "/").partition("/")
        try:
            body = json.loads(payload) if payload[:1] in (b"{", b"[") else None
        except (ValueError, RecursionError):
            body = None
        if leaf == "status":
            self._take_status(device, payload, now_s)
        elif leaf == "devices" and isinstance(body, list):
            self._claimed |= {name for name in body[:_DEVICES_LIMIT] if isinstance(name, str)}
        elif isinstance(body, dict) and isinstance(body.get("seq"), int):
            place = str(body.get("device")), str(body.get("journal"))
            self._silent.pop(place[0], None)
            if len(self._heard) < _DEVICES_LIMIT:
                self._heard.add(place[0])
            if place in self._records or len(self._records) < _DEVICES_LIMIT:
                self._records.setdefault(place, _Sequence(body["seq"])).take(body["seq"], now_s)

    def notices(self, now_s: float) -> list[str]:
        """Say what is hidden, each once.

        Args:
            now_s: seconds that never go back.

        Returns:
            Lines for the user.
        """
        if self._begun_s is None:
            return []
        lines = []
        if not self._is_settled and now_s - self._begun_s >= SETTLE_S:
            self._is_settled = True
            lines = self._of_retained()
        lines += self._of_silent(now_s)
        for (device, _), sequence in self._records.items():
            if self._sees_all_of(device) and (missing := sequence.missing(now_s)):
                numbers = ", ".join(map(str, missing[:_SHOWN])) + (", …" if len(missing) > _SHOWN else "")
                lines.append(
                    f"{device}: {len(missing)} of its records did not come (seq {numbers}): the broker's ACL hides "
                    f"their topics from {self._user}, or they have topics of their own, or the journal dropped them"
                )
        return lines

    def _take_status(self, device: str, payload: bytes, now_s: float) -> None:
        if len(self._statuses) < _DEVICES_LIMIT:
            self._statuses.add(device)
        if payload == b"online" and device not in self._heard and len(self._silent) < _DEVICES_LIMIT:
            self._silent.setdefault(device, now_s)
        elif payload != b"online":
            self._silent.pop(device, None)

    def _of_silent(self, now_s: float) -> list[str]:
        silent = [device for device, since_s in self._silent.items() if now_s - since_s >= QUIET_S]
        lines = []
        for device in silent:
            del self._silent[device]
            self._heard.add(device)  # it is said once
            # A bridge has a status too, and one that has no devices yet has no list.
            if device not in self._claimed or not self._sees_all_of(device):
                continue
            lines.append(
                f"{device}: on line, and no record of it came in {QUIET_S:.0f} s: it has nothing to say, or the "
                f"broker's ACL hides its topics from {self._user}, or they have topics of their own"
            )
        return lines

    def _of_retained(self) -> list[str]:
        hidden = sorted(
            device for device in self._claimed - self._statuses if self._matches(f"{self._base}/{device}/status")
        )
        if hidden:
            names = ", ".join(hidden[:_SHOWN]) + (", …" if len(hidden) > _SHOWN else "")
            return [
                f"{names}: on line by a bridge's list, and no status came: the broker's ACL hides it from {self._user}"
            ]
        if self._has_come:
            return []
        if self._matches(f"{self._base}/x/status"):
            return [
                f"subscribed, and nothing came, not even a bridge's retained status: no bridge was ever at this broker "
                f"under {self._base}/, or the broker's ACL hides it from {self._user} (a broker may grant a "
                "subscription and drop its messages: Mosquitto does with an acl_file)"
            ]
        return [
            "subscribed; whether the broker's ACL hides these topics cannot be known before something is published "
            "on them: nothing under them is retained"
        ]

    def _matches(self, topic: str) -> bool:
        return any(topic_matches_sub(each, topic) for each in self._filters)

    def _sees_all_of(self, device: str) -> bool:
        # Of every kind, with a channel and without; else holes are what was asked for.
        return self._matches(f"{self._base}/{device}/x") and self._matches(f"{self._base}/{device}/x/x")


class _Sequence:
    """Which numbers of one journal are missing."""

    def __init__(self, first: int):
        self._next = first
        self._missing: dict[int, float] = {}  # number -> since when
        self._is_told = False

    def take(self, seq: int, now_s: float) -> None:
        if seq < self._next:
            self._missing.pop(seq, None)
            return
        if not self._is_told and seq - self._next + len(self._missing) <= _MISSING_LIMIT:
            self._missing |= dict.fromkeys(range(self._next, seq), now_s)
        self._next = seq + 1

    def missing(self, now_s: float) -> list[int]:
        """Those that are overdue; only the first time."""
        overdue = [seq for seq, since_s in self._missing.items() if now_s - since_s >= GAP_S]
        if self._is_told or not overdue:
            return []
        self._is_told = True
        self._missing = {}
        return overdue
