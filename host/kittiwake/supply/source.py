"""Source of releases: fetches over HTTPS, once, what the folder lacks. What a release is worth, boards judge."""

from __future__ import annotations

import hashlib
import logging
import os
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from kittiwake.peers.complaints import Complaints

log = logging.getLogger(__name__)

LIMIT_BYTES = 64 * 1024 * 1024
RETRY_S = 60.0
_TIMEOUT_S = 30.0
_CHUNK_BYTES = 65536


class Source:
    """Where releases are fetched from, each by a thread of its own while it takes.

    Args:
        url: that a release's name is put behind; https alone.
        folder: that they go to, whole or not at all.
        clock_s: seconds that never go back, for tests.
    """

    def __init__(self, url: str, folder: Path, clock_s: Callable[[], float] = time.monotonic):
        self._url, self._folder, self._clock_s = url, folder, clock_s
        self._attempts: dict[str, _Attempt] = {}
        self._complaints = Complaints(log)

    def ask(self, name: str, sha256: str) -> str:
        """Have a release fetched, again RETRY_S after an attempt that failed.

        Args:
            name: of its file.
            sha256: of it, in hexadecimal; without it nothing is fetched.

        Returns:
            Why the last attempt failed; "" while one is under way.
        """
        if not sha256:
            return "whoever names it gives no sha256 to fetch it by"
        attempt = self._attempts.get(name)
        if attempt is not None and (attempt.is_under_way or self._clock_s() < attempt.again_s):
            return attempt.problem
        attempt = self._attempts[name] = _Attempt(name, sha256, self._clock_s() + RETRY_S)
        attempt.thread = threading.Thread(target=self._run, args=(attempt,), name=f"fetch {name}", daemon=True)
        attempt.thread.start()
        return ""

    def _run(self, attempt: _Attempt) -> None:
        part = self._folder / f".{attempt.name}.{os.getpid()}.part"
        try:
            self._fetch(attempt, part)
        except (OSError, ValueError) as error:  # URLError and HTTPError are OSErrors
            part.unlink(missing_ok=True)
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            attempt.problem = f"{self._url}{attempt.name}: {reason}"
            self._complaints.tell(f"release cannot be fetched: {attempt.problem}")

    def _fetch(self, attempt: _Attempt, part: Path) -> None:
        handlers = (urllib.request.HTTPSHandler(context=ssl.create_default_context()), _NoRedirects())
        digest, size = hashlib.sha256(), 0
        with (
            urllib.request.build_opener(*handlers).open(self._url + attempt.name, timeout=_TIMEOUT_S) as response,
            open(part, "wb") as file,
        ):
            while chunk := response.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > LIMIT_BYTES:
                    raise ValueError(f"more than {LIMIT_BYTES} bytes")
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != attempt.sha256:
            raise ValueError(f"{size} bytes, which are not those of its sha256")
        part.replace(self._folder / attempt.name)
        log.info("release %s fetched from %s: %d bytes", attempt.name, self._url, size)


class _Attempt:
    def __init__(self, name: str, sha256: str, again_s: float):
        self.name, self.sha256, self.again_s = name, sha256, again_s
        self.problem = ""
        self.thread: threading.Thread

    @property
    def is_under_way(self) -> bool:
        return self.thread.is_alive() and not self.problem


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The configuration says where releases come from, and no server does."""

    def redirect_request(self, *_: object) -> None:
        return None
