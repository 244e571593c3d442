"""Two addresses: where a browser sets out for the provider, and where it comes back to.

Both are asked for by links and redirects (GET), which no policy for forms stands in the way of, and both lead on: to
the provider, to the page that was asked for, or to the login page, which says what went wrong.
"""

from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from mektep_collector.access.elsewhere import COME_BACK, SET_OUT, WHY, NotLetIn, own_address
from mektep_collector.access.visit import Entered
from mektep_collector.api.entrance import LOGIN, cookie_name
from mektep_collector.api.oidc.attempt import LASTS, Attempt
from mektep_collector.api.oidc.error import OidcError
from mektep_collector.api.oidc.login import OidcLogin

_NO_STORE: Final = {"Cache-Control": "no-store"}


class Door(Protocol):
    """What lets in whom the provider vouches for. It may block."""

    def may_come_back(self, address: str) -> bool:
        """Count a return, and tell whether that network has not had too many tries."""
        ...

    def enter_vouched(self, login: str, address: str) -> Entered | NotLetIn:
        """Begin a session for whom the provider vouches."""
        ...

    def turned_away(self, why: NotLetIn, reason: str, address: str) -> None:
        """Note that nobody was let in, and why."""
        ...


def create_oidc_router(login: OidcLogin, door: Door) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)

    @router.get(SET_OUT)
    async def set_out(request: Request) -> Response:
        target = own_address(request.query_params.get("next", ""))
        try:
            url, kept = await login.set_out(target)
        except OidcError as error:
            return turned_away(request, error, target)
        gone = RedirectResponse(url, status_code=303, headers=_NO_STORE)
        over_tls = request.url.scheme == "https"
        gone.set_cookie(
            attempt_cookie(request.url.scheme), kept, max_age=round(LASTS.total_seconds()), path=SET_OUT,
            secure=over_tls, httponly=True, samesite="lax",
        )  # fmt: skip
        return gone

    @router.get(COME_BACK)
    async def come_back(request: Request) -> Response:
        scheme, target = request.url.scheme, "/"
        try:
            attempt, told = taken_back(request)
            target = own_address(attempt.next)
            entered = await enter(request, attempt, told)
        except OidcError as error:
            response = turned_away(request, error, target)
        else:
            response = RedirectResponse(target, status_code=303, headers=_NO_STORE)
            response.set_cookie(
                cookie_name(scheme), entered.token, max_age=entered.lifetime_s, path="/", secure=scheme == "https",
                httponly=True, samesite="lax",
            )  # fmt: skip
        response.delete_cookie(attempt_cookie(scheme), path=SET_OUT, secure=scheme == "https", httponly=True)
        return response

    def taken_back(request: Request) -> tuple[Attempt, Mapping[str, str]]:
        if not door.may_come_back(_address(request)):
            raise OidcError(NotLetIn.TOO_OFTEN, "too many tries from this network")
        told = _told(request)
        return login.take_back(request.cookies.get(attempt_cookie(request.url.scheme), ""), told), told

    async def enter(request: Request, attempt: Attempt, told: Mapping[str, str]) -> Entered:
        mail = await login.who(attempt, told)
        entered = await run_in_threadpool(door.enter_vouched, mail, _address(request))
        if isinstance(entered, NotLetIn):
            raise OidcError(entered, "the register lets nobody of that name in this way")
        return entered

    def turned_away(request: Request, error: OidcError, target: str) -> Response:
        door.turned_away(error.why, str(error), _address(request))
        told = {WHY: error.why.value, **({"next": target} if target != "/" else {})}
        return RedirectResponse(f"{LOGIN}?{urlencode(told)}", status_code=303, headers=_NO_STORE)

    return router


def attempt_cookie(scheme: str) -> str:
    """Return the name of the cookie for the way: over TLS one that no plain page can set."""
    return "__Secure-mektep_oidc" if scheme == "https" else "mektep_oidc"


def _told(request: Request) -> dict[str, str]:
    """Return what the browser brings; a name that comes twice is no answer of a provider's."""
    pairs = request.query_params.multi_items()
    told = dict(pairs)
    if len(told) != len(pairs):
        raise OidcError(NotLetIn.STALE, "the answer that the browser brings says something twice")
    return told


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
