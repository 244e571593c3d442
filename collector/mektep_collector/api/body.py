"""A request's body within bounds: how large, how long it takes, and what it may inflate to.

A gzip of 65 kB can hold 64 MB, so nothing is inflated beyond its limit.
"""

import asyncio
from http import HTTPStatus

import msgspec
from starlette.requests import Request

from mektep_collector.api.problems import ProblemError
from mektep_collector.journal.gzip_member import GzipError, InflatedTooLarge, inflate
from mektep_wire import ProblemKind

BODY_DEADLINE_S = 30.0
_HALVE = "send fewer readings in one batch"
_AGAIN = "compress the exact bytes of the batch once with gzip and send them again; a proxy may have changed them"


class Body(msgspec.Struct, frozen=True):
    """The bytes as meant, and as they came compressed; `gzip` is None where they came as they are."""

    plain: bytes
    gzip: bytes | None


async def read_body(request: Request, *, max_wire_bytes: int, max_plain_bytes: int) -> Body:
    """Read the body within BODY_DEADLINE_S and inflate it; raises ProblemError."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        raise ProblemError(
            ProblemKind.UNSUPPORTED_ENCODING,
            f"the body came with Content-Encoding {encoding[:50]!r}",
            advice="send it with gzip, or as it is",
            headers={"Accept-Encoding": "gzip, identity"},
        )
    received = await _received(request, max_wire_bytes)
    if encoding == "identity":
        if len(received) > max_plain_bytes:
            raise _too_large(f"the body has {len(received)} bytes, more than {max_plain_bytes}")
        return Body(received, None)
    try:
        return Body(inflate(received, max_plain_bytes), received)
    except InflatedTooLarge as error:
        raise _too_large(f"the body is too large: {error}") from None
    except GzipError as error:
        raise ProblemError(
            ProblemKind.BAD_COMPRESSION, f"the gzip body cannot be read: {error}", advice=_AGAIN
        ) from None


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
