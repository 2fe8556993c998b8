"""Who may do what over HTTP: the session of a request, log-in and log-out, and what is refused.

Where no users are set up, whoever reaches the window, which is this machine alone, is its operator.
"""

from __future__ import annotations

import asyncio
import logging
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kittiwake.errors import KittiwakeError
from kittiwake.observe.events import event
from kittiwake.window.notes import Notes
from kittiwake.window.sessions import Session, Sessions, Tries
from kittiwake.window.users import Users

log = logging.getLogger(__name__)

PROOF_HEADER = "x-kittiwake-proof"


class Access:
    """The gate.

    Args:
        users: who there is; None where nobody is set up.
        notes: where log-ins are written down.
        is_tls: cookies go over TLS alone.
        user_header: of requests, in which a reverse proxy says who has logged in there; "" for none.

    Attributes:
        refused: log-ins.
    """

    def __init__(self, users: Users | None, notes: Notes, is_tls: bool, user_header: str = ""):
        self._users, self._notes, self._is_tls, self._user_header = users, notes, is_tls, user_header
        self._sessions, self._tries = Sessions(), Tries()
        self._proxied: dict[str, Session] = {}
        self.refused = 0
        self._local = Session("local", "operator", secrets.token_urlsafe(32))
        # A browser takes a cookie of this prefix only over TLS, and of this very host.
        self._cookie = "__Host-kittiwake" if is_tls else "kittiwake"

    def session_of(self, request: Request) -> Session | None:
        """Give the session that a request belongs to.

        Args:
            request: with its cookie.
        """
        if self._users is None:
            return self._local
        if self._user_header:
            return self._session_by_proxy(self._users, request.headers.get(self._user_header, ""))
        return self._sessions.find(request.cookies.get(self._cookie, ""))

    def _session_by_proxy(self, users: Users, name: str) -> Session | None:
        # Roles are looked up each time: who is removed is out at once.
        try:
            role = users.names().get(name)
        except KittiwakeError:  # a file that cannot be read lets nobody in
            role = None
        if role is None:
            return None
        session = self._proxied.get(name)
        if session is None or session.role != role:
            session = self._proxied[name] = Session(name, role, secrets.token_urlsafe(32))
        return session

    def refusal(self, request: Request, session: Session | None, is_change: bool) -> Response | None:
        """Say why a request is not carried out; None where it is.

        Args:
            request: of a page, or of another site by way of a browser.
            session: that it belongs to.
            is_change: it is not only to look.
        """
        if session is None:
            return JSONResponse({"problem": "log-in"}, 401)
        if not is_change:
            return None
        if not _is_own(request) or not session.is_proof(request.headers.get(PROOF_HEADER, "")):
            return JSONResponse({"problem": "this request does not come from the window's own page"}, 403)
        if session.role != "operator":
            return JSONResponse({"problem": "viewers look; an operator may do that"}, 403)
        return None

    def told(self, request: Request) -> dict[str, object]:
        """What a page is told of who looks at it.

        Args:
            request: of the page.
        """
        session = self.session_of(request)
        has_users = self._users is not None
        if session is None:
            return {"who": None, "role": None, "proof": None, "has_users": has_users}
        return {"who": session.who, "role": session.role, "proof": session.proof, "has_users": has_users}

    async def log_in(self, request: Request, name: str, password: str) -> Response:
        """Begin a session for who gives the password.

        Args:
            request: with where it comes from.
            name: of the person.
            password: theirs, it is said.
        """
        if self._users is None or self._user_header or not _is_own(request):
            return JSONResponse({"problem": "this request does not come from the window's own page"}, 403)
        keys = f"name {name}", f"address {request.client.host if request.client else ''}"
        wait_s = self._tries.wait_s(*keys)
        if wait_s:
            self._refuse(request, "too many tries")
            return JSONResponse({"problem": "too many tries", "wait_s": round(wait_s)}, 429)
        self._tries.fail(*keys)  # taken back below: tries at the same time count, too
        role = await asyncio.to_thread(self._users.check, name, password)
        if role is None:
            self._refuse(request, "a wrong name or password")
            await asyncio.to_thread(self._notes.audit, name, "log-in failed", name, keys[1])
            return JSONResponse({"problem": "name or password is wrong"}, 401)
        self._tries.succeed(*keys)
        await asyncio.to_thread(self._notes.audit, name, "log-in", name, keys[1])
        self._sessions.end(request.cookies.get(self._cookie, ""))
        answer = JSONResponse({})
        token = self._sessions.begin(name, role)
        answer.set_cookie(self._cookie, token, path="/", secure=self._is_tls, httponly=True, samesite="strict")
        return answer

    def _refuse(self, request: Request, why: str) -> None:
        # Not the name: people type their password there.
        self.refused += 1
        address = request.client.host if request.client else "?"
        log.warning("window: a log-in of %s is refused: %s", address, why, extra=event("user.refused"))

    def log_out(self, request: Request) -> Response:
        """End the session of a request.

        Args:
            request: with its cookie.
        """
        if not _is_own(request):
            return JSONResponse({"problem": "this request does not come from the window's own page"}, 403)
        self._sessions.end(request.cookies.get(self._cookie, ""))
        answer = JSONResponse({})
        answer.delete_cookie(self._cookie, path="/", secure=self._is_tls, httponly=True, samesite="strict")
        return answer


def _is_own(request: Request) -> bool:
    """Whether a browser says that the request comes from our own page, or no browser sends it."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    is_json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    is_same = origin is None or origin.partition("://")[2] == request.headers.get("host", "")
    return site == "same-origin" and is_json and is_same
