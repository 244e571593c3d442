"""Pages for people who may log in by an OpenID provider, served as the collector serves them."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import httpx
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from mektep_collector.access.elsewhere import COME_BACK
from mektep_collector.api.door import PeopleDoor
from mektep_collector.api.entrance import Entrance
from mektep_collector.api.oidc.asking import Asking
from mektep_collector.api.oidc.attempt import LABEL, Attempts
from mektep_collector.api.oidc.login import Client, OidcLogin
from mektep_collector.api.oidc.provider import Provider
from mektep_collector.api.oidc.routes import create_oidc_router
from mektep_collector.api.security_headers import SecurityHeaders
from mektep_collector.clock import TimeSource
from mektep_collector.registry.registry import Registry
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET
from tests.support.serving import serving

_CLOSED_S = 10.0


class OidcSite:
    """What is served, where."""

    def __init__(self, address: str, door: PeopleDoor) -> None:
        self.address = address
        self.door = door

    def browser(self) -> httpx.Client:
        """Return a browser that keeps cookies and follows nothing by itself."""
        return httpx.Client(base_url=self.address, trust_env=False, timeout=20)


class _Later:
    """An application that is known only once its address is."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        self.loop = asyncio.get_running_loop()
        await self.app(scope, receive, send)


def people_door(registry: Registry, time: TimeSource, name: str = "Bilim ID") -> PeopleDoor:
    """Return a door that knows an identity provider by name."""
    return PeopleDoor(registry.people, registry.sessions, time, timedelta(hours=1), timedelta(hours=12), name)


@contextmanager
def oidc_site(
    registry: Registry,
    time: TimeSource,
    issuer: str,
    door: PeopleDoor,
    pages: Sequence[APIRouter],
    patience_s: float = 20.0,
    secret: str = CLIENT_SECRET,
) -> Generator[OidcSite, None, None]:
    """Serve pages, and the way to the provider at `issuer` and back, for the time of a block."""
    later = _Later()
    asking = Asking(patience_s)
    with serving(later) as (host, port):
        address = f"http://{host}:{port}"
        client = Client(id=CLIENT_ID, secret=secret, redirect_url=address + COME_BACK)
        provider = Provider(issuer, asking, time)
        login = OidcLogin(client, provider, asking, Attempts(registry.derived(LABEL), time), time)
        app = FastAPI()
        for router in (*pages, create_oidc_router(login, door)):
            app.include_router(router)
        app.add_middleware(Entrance, door=door)
        app.add_middleware(SecurityHeaders)
        later.app = app
        try:
            yield OidcSite(address, door)
        finally:
            if later.loop is not None:
                asyncio.run_coroutine_threadsafe(asking.close(), later.loop).result(_CLOSED_S)
