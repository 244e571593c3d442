"""Asking the provider: within a time, for an answer that is not too long, and following it nowhere else."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final, TypeVar

import httpx
import msgspec

from mektep_collector.api.oidc.error import away

PATIENCE_S: Final = 8.0
MOST_BYTES: Final = 131_072
_CONNECTIONS: Final = httpx.Limits(max_connections=16, max_keepalive_connections=4)
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "mektep-collector"}
T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True):
    """What the provider answered."""

    status: int
    body: bytes


class Asking:
    """Asks over HTTP; certificates are checked by what the system trusts. `close` it at the end."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            timeout=patience_s,
            limits=_CONNECTIONS,
            follow_redirects=False,
            trust_env=False,
            headers=_HEADERS,
        )

    async def get(self, url: str) -> Answer:
        """Ask for what is at an address. Raises OidcError."""
        return await self._ask("GET", url, {}, b"")

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a form. Raises OidcError."""
        return await self._ask("POST", url, headers, body)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            # httpx's own limit is for each step; one that sends a byte now and then would never meet it.
            async with (
                asyncio.timeout(self._patience_s),
                self._client.stream(method, url, headers=headers, content=body or None) as answer,
            ):
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise away(f"{url} answers compressed, which was not asked for")
                whole = bytearray()
                async for part in answer.aiter_raw():
                    whole += part
                    if len(whole) > MOST_BYTES:
                        raise away(f"{url} answers with more than {MOST_BYTES} bytes")
                return Answer(answer.status_code, bytes(whole))
        except TimeoutError:
            raise away(f"{url} does not answer within {self._patience_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise away(f"{url} cannot be asked: {type(error).__name__}: {error}") from None


def read_json(body: bytes, kind: type[T]) -> T | None:
    """Return what JSON says, None where it is none, says something else, or is nested too deep."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
