"""A small OpenID provider on this machine: discovery, keys, a login page, tokens for codes that PKCE was shown for.

It keeps to the standard until a test changes what it says or answers.
"""

import base64
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import anyio
import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from joserfc import jwt
from joserfc.jwk import Key, KeySet, RSAKey

from mektep_collector.clock import TimeSource
from tests.support.serving import serving

CLIENT_ID, CLIENT_SECRET = "mektep", "provider-gave-this-out"
_LASTS_S = 300


@cache
def new_key(name: str) -> RSAKey:
    """Return a key of a name, always the same within a run: making one takes long."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


class OpenIdProvider:
    """Says what `claims` are, signed by `key`; keeps what it was asked."""

    def __init__(self, time: TimeSource) -> None:
        self.time = time
        self.issuer = ""
        self.key: Key = new_key("first")
        self.published = [self.key]
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {"sub": "1", "email": "aigerim@edu.example", "email_verified": True}
        self.description: dict[str, Any] = {}
        self.answers: dict[str, Callable[[], Response]] = {}
        """What is answered at a path instead of what the standard says."""
        self.padding_count: dict[str, int] = {}
        """How many letters more than the standard says are said at a path."""
        self.asked: list[str] = []
        self.codes: dict[str, Mapping[str, str]] = {}
        self.issued: list[str] = []
        """Codes and tokens that were given out: no log may hold one."""

    def id_token(self, nonce: str) -> str:
        """Return the token for a request."""
        now = int(self.time.now().timestamp())
        said = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + _LASTS_S, "nonce": nonce, **self.claims}
        said = {name: value for name, value in said.items() if value is not None}
        header = {"alg": self.algorithm, **({"kid": self.key.kid} if self.key.kid else {})}
        return jwt.encode(header, said, self.key, algorithms=[self.algorithm])

    def come_back(self, asked: Mapping[str, str]) -> str:
        """Return where a browser is sent whose person said yes to a request."""
        code = secrets.token_urlsafe(24)
        self.codes[code] = dict(asked)
        self.issued.append(code)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"


@contextmanager
def openid_provider(time: TimeSource) -> Generator[OpenIdProvider, None, None]:
    """Run a provider for the time of a block."""
    provider = OpenIdProvider(time)
    with serving(_app(provider)) as (host, port):
        provider.issuer = f"http://{host}:{port}"
        yield provider


def redirecting() -> Response:
    """Answer that what is asked for is elsewhere."""
    return RedirectResponse("http://127.0.0.1:9/elsewhere", status_code=302)


def endless() -> Response:
    """Answer for ever, a little at a time."""

    async def letters() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await anyio.sleep(0.02)

    return StreamingResponse(letters(), media_type="application/json")


def nested() -> Response:
    """Answer with JSON that is nested a hundred thousand times where nobody looks."""
    return Response(b'{"x": ' + b"[" * 100_000, media_type="application/json")


def log_in_there(browser: httpx.Client, url: str) -> str:
    """Log in on the provider's page, and return the address that it sends the browser back to."""
    page = browser.get(url)
    assert page.status_code == 200
    return str(browser.post(url).headers["location"])


def _app(provider: OpenIdProvider) -> FastAPI:
    app = FastAPI()
    guard = threading.Lock()

    def otherwise(request: Request) -> Response | None:
        with guard:
            provider.asked.append(request.url.path)
        answer = provider.answers.get(request.url.path)
        return answer() if answer is not None else None

    def said(request: Request, what: dict[str, Any]) -> Response:
        return JSONResponse({**what, "padding": "x" * provider.padding_count.get(request.url.path, 0)})

    @app.get("/.well-known/openid-configuration")
    def discovery(request: Request) -> Response:
        description = {
            "issuer": provider.issuer,
            "authorization_endpoint": f"{provider.issuer}/authorize",
            "token_endpoint": f"{provider.issuer}/token",
            "jwks_uri": f"{provider.issuer}/keys",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **provider.description,
        }
        return otherwise(request) or said(request, description)

    @app.get("/keys")
    def keys(request: Request) -> Response:
        return otherwise(request) or said(request, dict(KeySet(list(provider.published)).as_dict(private=False)))

    @app.get("/authorize")
    def ask(request: Request) -> Response:
        assert request.query_params["response_type"] == "code"
        assert request.query_params["code_challenge_method"] == "S256"
        assert "openid" in request.query_params["scope"].split()
        return HTMLResponse("<h1>Provider</h1><form method=post><button>I am Aigerim</button></form>")

    @app.post("/authorize")
    def allow(request: Request) -> Response:
        return RedirectResponse(provider.come_back(dict(request.query_params)), status_code=303)

    @app.post("/token")
    async def token(request: Request) -> Response:
        other = otherwise(request)
        if other is not None:
            return other
        form = dict(parse_qsl((await request.body()).decode()))
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        asked = provider.codes.pop(form.get("code", ""), None)
        if (
            asked is None
            or form["grant_type"] != "authorization_code"
            or asked["redirect_uri"] != form["redirect_uri"]
            or asked["code_challenge"] != create_s256_code_challenge(form.get("code_verifier", ""))
        ):
            return JSONResponse({"error": "invalid_grant", "error_description": "secret words"}, status_code=400)
        access = secrets.token_urlsafe(24)
        signed = provider.id_token(asked["nonce"])
        provider.issued += [access, signed]
        return said(request, {"access_token": access, "token_type": "Bearer", "id_token": signed})

    return app
