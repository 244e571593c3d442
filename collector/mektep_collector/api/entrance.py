"""The one place through which every page is reached: it finds out who comes, and turns away who may not come in.

Everything is behind it but what is named here, so that a new page is closed until somebody opens it. A request that
would change something and comes from another site's page is refused (Fetch Metadata, and RFC 6454 where a browser does
not send that).
"""

import logging
from http.cookies import CookieError, SimpleCookie
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mektep_collector.access.elsewhere import COME_BACK, SET_OUT
from mektep_collector.access.visit import Visitor
from mektep_collector.registry.error import RegistryAway

_LOG = logging.getLogger(__name__)
VISITOR: Final = "visitor"
"""Name in a request's state of who looks; None there: it cannot be found out at the moment, and nothing is shown."""
LOGIN: Final = "/login"
_OPEN_FOLDERS: Final = ("/v1/", "/health/", "/static/", "/docs/")
_OPEN: Final = frozenset({LOGIN, SET_OUT, COME_BACK, "/metrics", "/openapi.json", "/docs"})
_FROM_ELSEWHERE: Final = "This was sent by a page of another site. Open the collector's own page and do it there."
_MOST_FIELDS: Final = 50
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TRUSTED_SITES: Final = frozenset({"same-origin", "none"})


class Door(Protocol):
    """What tells whose session a token is."""

    def visitor(self, token: str) -> Visitor | None:
        """Return who comes, None for nobody who may. Raises RegistryAway."""
        ...


def cookie_name(scheme: str) -> str:
    """Return the name of the session's cookie: over TLS one that no other host and no plain page can set."""
    return "__Host-mektep" if scheme == "https" else "mektep_session"


def session_token(headers: Headers, scheme: str) -> str:
    """Return the token that a request brings, empty where it brings none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(cookie_name(scheme))
    except CookieError:
        return ""
    return found.value if found is not None else ""


class Entrance:
    """Lets visitors through to `app`, with who they are in the request's state."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        headers = Headers(scope=scope)
        is_open = path in _OPEN or path.startswith(_OPEN_FOLDERS)
        if scope["method"] not in _SAFE and not path.startswith("/v1/") and _is_from_elsewhere(headers):
            await PlainTextResponse(_FROM_ELSEWHERE, status_code=403)(scope, receive, send)
            return
        if not is_open:
            state = scope.setdefault("state", {})
            state[VISITOR] = None
            try:
                visitor = await run_in_threadpool(self._door.visitor, session_token(headers, scope["scheme"]))
            except RegistryAway as error:
                _LOG.warning("visitor_not_known", extra={"reason": str(error)})
            else:
                if visitor is None:
                    await RedirectResponse(_login_address(scope), status_code=303)(scope, receive, send)
                    return
                state[VISITOR] = visitor
        await self._app(scope, receive, send)


def _is_from_elsewhere(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _TRUSTED_SITES
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


def _login_address(scope: Scope) -> str:
    if scope["method"] not in _SAFE:
        return LOGIN
    query = scope["query_string"].decode("ascii", "replace")
    language = dict(parse_qsl(query)).get("lang") if query.count("&") < _MOST_FIELDS else None
    asked = scope["path"] + (f"?{query}" if query else "")
    wanted = {"lang": language or "", "next": asked if asked != "/" else ""}
    told = urlencode({name: value for name, value in wanted.items() if value})
    return f"{LOGIN}?{told}" if told else LOGIN
