"""A request's body within bounds: how large, how long it takes, and what it may inflate to.

A gzip of 65 kB can hold 64 MB, so nothing is inflated beyond its limit.
"""

import asyncio
from http import HTTPStatus
from typing import Literal

import msgspec
from starlette.requests import Request

from mektep_collector.api.problems import ProblemError
from mektep_collector.journal.gzip_member import GzipError, InflatedTooLarge, inflate
from mektep_wire import ProblemKind

BODY_DEADLINE_S = 30.0
_HALVE = "send fewer readings in one batch"
_AGAIN = "compress it once with gzip and send it again"


class Body(msgspec.Struct, frozen=True):
    """A body as it was sent, and whether it is gzip or as meant."""

    sent: bytes
    encoding: Literal["gzip", "identity"]

    def plain(self, max_bytes: int) -> bytes:
        """Return the bytes as meant; raises ProblemError where they are too many or no sound gzip."""
        if self.encoding == "identity":
            if len(self.sent) > max_bytes:
                raise _too_large(f"the body has {len(self.sent)} bytes, more than {max_bytes}")
            return self.sent
        try:
            return inflate(self.sent, max_bytes)
        except InflatedTooLarge as error:
            raise _too_large(f"the body is too large: {error}") from None
        except GzipError as error:
            detail = f"the gzip body cannot be read: {error}"
            raise ProblemError(ProblemKind.BAD_COMPRESSION, detail, advice=_AGAIN) from None


async def receive_body(request: Request, max_bytes: int) -> Body:
    """Read the body within BODY_DEADLINE_S, at most `max_bytes` as sent, inflating nothing; raises ProblemError."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "gzip":
        return Body(await _received(request, max_bytes), "gzip")
    if encoding == "identity":
        return Body(await _received(request, max_bytes), "identity")
    raise ProblemError(
        ProblemKind.UNSUPPORTED_ENCODING,
        f"the body came with Content-Encoding {encoding[:50]!r}",
        advice="send it with gzip, or as it is",
        headers={"Accept-Encoding": "gzip, identity"},
    )


async def _received(request: Request, max_wire_bytes: int) -> bytes:
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated[:20]) > max_wire_bytes:
        raise _too_large(f"the body would have {stated[:20]} bytes, more than {max_wire_bytes}")
    pieces: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for piece in request.stream():
                size_bytes += len(piece)
                if size_bytes > max_wire_bytes:
                    raise _too_large(f"the body has more than {max_wire_bytes} bytes")
                pieces.append(piece)
    except TimeoutError:
        raise _too_slow(size_bytes) from None
    return b"".join(pieces)


def _too_large(detail: str) -> ProblemError:
    return ProblemError(ProblemKind.BODY_TOO_LARGE, detail, advice=_HALVE, headers={"Connection": "close"})


def _too_slow(size_bytes: int) -> ProblemError:
    return ProblemError(
        ProblemKind.UNAVAILABLE,
        f"after {BODY_DEADLINE_S:g} s only {size_bytes} bytes of the body had come",
        advice=f"{_HALVE}, or send it again over a better line",
        status=HTTPStatus.REQUEST_TIMEOUT,
        headers={"Connection": "close"},
    )
