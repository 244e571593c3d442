"""Logging in and out: forms that work without script.

The login form carries a key that stands in a cookie too, so that another site cannot log somebody in as somebody else;
the form for leaving carries the session's own key.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from mektep_collector.access.elsewhere import SET_OUT, WHY, NotLetIn, own_address
from mektep_collector.access.visit import Entered, Refusal, Refused
from mektep_dashboards.pages.showing import Showing, query_of, visitor_of

_FORM_COOKIE: Final = "mektep_form"
_FORM_S: Final = 3_600
_MOST_BYTES: Final = 8_192
_MOST_FIELDS: Final = 10
_STATUS: Final = {Refusal.WRONG: 401, Refusal.TOO_OFTEN: 429}


class Door(Protocol):
    """What lets people in and out. It may block."""

    def is_for_everyone(self) -> bool:
        """Tell whether nobody needs to log in."""
        ...

    def enter(self, login: str, password: str, code: str, address: str) -> Entered | Refused:
        """Begin a session for who shows to be this person."""
        ...

    def elsewhere_name(self) -> str:
        """Return the name of the identity provider by which people may log in too, empty for none."""
        ...

    def leave(self, token: str) -> None:
        """End a session."""
        ...

    def cookie_name(self, scheme: str) -> str:
        """Return the name of the session's cookie."""
        ...


def add_login(router: APIRouter, door: Door, showing: Showing) -> None:
    """Add `/login` and `/logout` to a router."""

    def form(request: Request, status: int, **facts: object) -> Response:
        key = request.cookies.get(_FORM_COOKIE, "") or secrets.token_urlsafe(16)
        query = query_of(request)
        known = {"login": "", "refused": None, "wait_s": 0, "next": own_address(query.get("next", ""))}
        known |= {"elsewhere": door.elsewhere_name(), "set_out": SET_OUT, "not_let_in": _why(query.get(WHY, ""))}
        response = showing.show(request, "login.html", status, None, **{**known, "form_key": key, **facts})
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(
            _FORM_COOKIE,
            key,
            max_age=_FORM_S,
            path="/login",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    @router.get("/login")
    async def ask(request: Request) -> Response:
        if door.is_for_everyone():
            return RedirectResponse("/", status_code=303)
        return form(request, 200)

    @router.post("/login")
    async def enter(request: Request) -> Response:
        if door.is_for_everyone():
            return RedirectResponse("/", status_code=303)
        fields = await _fields(request)
        target = own_address(fields.get("next", ""))
        login = fields.get("login", "")[:80]
        if not _is_same(fields.get("form_key", ""), request.cookies.get(_FORM_COOKIE, "")):
            return form(request, 403, login=login, next=target, refused="stale")
        address = request.client.host if request.client else ""
        answer = await run_in_threadpool(door.enter, login, fields.get("password", ""), fields.get("code", ""), address)
        if isinstance(answer, Refused):
            status = _STATUS[answer.refusal]
            response = form(
                request, status, login=login, next=target, refused=answer.refusal.value, wait_s=answer.wait_s
            )
            if answer.wait_s:
                response.headers["Retry-After"] = str(answer.wait_s)
            return response
        gone = RedirectResponse(target, status_code=303, headers={"Cache-Control": "no-store"})
        gone.delete_cookie(_FORM_COOKIE, path="/login")
        scheme = request.url.scheme
        gone.set_cookie(
            door.cookie_name(scheme),
            answer.token,
            max_age=answer.lifetime_s,
            path="/",
            secure=scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return gone

    @router.post("/logout")
    async def leave(request: Request) -> Response:
        fields = await _fields(request)
        visitor = visitor_of(request)
        if visitor is None:
            return showing.out_of_reach(request, "who leaves cannot be found out")
        name = door.cookie_name(request.url.scheme)
        gone = RedirectResponse("/login", status_code=303, headers={"Clear-Site-Data": '"cache"'})
        if visitor.login and _is_same(fields.get("form_key", ""), visitor.form_key):
            await run_in_threadpool(door.leave, request.cookies.get(name, ""))
            gone.delete_cookie(name, path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax")
            return gone
        return RedirectResponse("/", status_code=303)


async def _fields(request: Request) -> Mapping[str, str]:
    """Return the fields of a form; none where it is too long or cannot be read."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            return {}
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


def _why(told: str) -> NotLetIn | None:
    """Return why an identity provider's word let nobody in; whoever makes up an address only chooses among these."""
    return NotLetIn(told) if told in set(NotLetIn) else None


def _is_same(told: str, wanted: str) -> bool:
    return bool(wanted) and hmac.compare_digest(told.encode(), wanted.encode())
