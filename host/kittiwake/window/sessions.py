"""Who a request comes from: sessions of those who have logged in, and how often a password may be tried."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from kittiwake.window.users import Role

IDLE_S = 12 * 3600.0
SESSIONS_LIMIT = 1000
TRIES, TRIES_S = 5, 60.0
_TRACKED = 4096


@dataclass
class Session:
    """Somebody.

    Attributes:
        who: their name; "local" for whoever sits at this machine, where no users are set up.
        role: what they may.
        proof: what a request that changes something has to carry, and another site cannot know.
        used_s: when it was used last.
    """

    who: str
    role: Role
    proof: str
    used_s: float = 0.0

    def is_proof(self, text: str) -> bool:
        """Whether that is the proof.

        Args:
            text: of a request.
        """
        return hmac.compare_digest(text.encode(), self.proof.encode())


class Sessions:
    """All of them; gone when the process is.

    Args:
        clock_s: seconds that never go back.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic):
        self._clock_s = clock_s
        self._sessions: OrderedDict[str, Session] = OrderedDict()  # by digest of the token, the longest unused first

    def begin(self, who: str, role: Role) -> str:
        """Begin a session.

        Args:
            who: has logged in.
            role: what they may.

        Returns:
            Its token, which nobody has had before.
        """
        token = secrets.token_urlsafe(32)
        self._sessions[_digest(token)] = Session(who, role, secrets.token_urlsafe(32), self._clock_s())
        if len(self._sessions) > SESSIONS_LIMIT:
            self._sessions.popitem(last=False)
        return token

    def find(self, token: str) -> Session | None:
        """Give the session of a token, if it has not been idle for too long.

        Args:
            token: of a request.
        """
        key = _digest(token)
        session = self._sessions.get(key)
        if session is None:
            return None
        if self._clock_s() - session.used_s > IDLE_S:
            del self._sessions[key]
            return None
        session.used_s = self._clock_s()
        self._sessions.move_to_end(key)
        return session

    def end(self, token: str) -> None:
        """End a session. Idempotent.

        Args:
            token: of it.
        """
        self._sessions.pop(_digest(token), None)


class Tries:
    """How often a password may be tried: a few times a minute for each name and each address.

    Args:
        clock_s: seconds that never go back.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic):
        self._clock_s = clock_s
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, *keys: str) -> float:
        """Give how long must be waited before the next try.

        Args:
            keys: name and address.
        """
        now_s = self._clock_s()
        waits = [0.0]
        for key in keys:
            failed = [at for at in self._failed.get(key, []) if now_s - at < TRIES_S]
            if len(failed) >= TRIES:
                waits.append(TRIES_S - (now_s - failed[-TRIES]))
        return max(waits)

    def fail(self, *keys: str) -> None:
        """A try has failed.

        Args:
            keys: name and address.
        """
        for key in keys:
            self._failed[key] = [*self._failed.get(key, []), self._clock_s()][-TRIES:]
            self._failed.move_to_end(key)
        while len(self._failed) > _TRACKED:
            self._failed.popitem(last=False)

    def succeed(self, *keys: str) -> None:
        """A try that was counted as failed was none.

        Args:
            keys: name and address.
        """
        for key in keys:
            if self._failed.get(key):
                self._failed[key].pop()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
