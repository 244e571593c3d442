"""Who waits for a page is known from coming until the answer begins."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mektep_collector.api.audience import Attended, Audience


def _seen(path: str, *, streams: bool = False) -> list[bool]:
    """Return whether anybody waited: in the making of an answer, while it streams, and afterwards."""
    audience, seen = Audience(), list[bool]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        seen.append(audience.waits())

        async def lines() -> AsyncGenerator[bytes, None]:
            yield b"one"
            seen.append(audience.waits())
            yield b"two"

        answer = StreamingResponse(lines()) if streams else Response(b"all")
        await answer(scope, receive, send)

    asyncio.run(_get(Attended(app, audience), path))
    return [*seen, audience.waits()]


async def _get(app: ASGIApp, path: str) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://collector") as client:
        await client.get(path)


def test_a_reader_waits_until_the_answer_begins() -> None:
    assert _seen("/schools/0007") == [True, False]
    assert _seen("/", streams=True) == [True, False, False]


def test_a_program_is_no_audience() -> None:
    assert _seen("/v1/assignment") == [False, False]


def test_one_whose_page_fails_does_not_wait_for_ever() -> None:
    audience = Audience()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a bug")

    asyncio.run(_get(Attended(app, audience), "/"))
    assert not audience.waits()
