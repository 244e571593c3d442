"""Answers over HTTP: compressed where the browser can, and kept by it only where the address names the content."""

import gzip
from hashlib import sha256

from fastapi import Request, Response

_SMALL_BYTES = 600
_LEVEL = 6


def page(request: Request, text: str, status: int = 200) -> Response:
    """Return a page. It is asked for anew each time, and not sent again while it is the same (RFC 9110, section 13)."""
    body = text.encode()
    tag = f'W/"{sha256(body).hexdigest()[:24]}"'
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Accept-Language, Cookie", "ETag": tag}
    if status == 200 and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return _compressed(request, body, "text/html; charset=utf-8", status, headers)


def lasting(request: Request, body: bytes, media_type: str) -> Response:
    """Return what never changes at its address."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    return _compressed(request, body, media_type, 200, headers)


def _compressed(request: Request, body: bytes, media_type: str, status: int, headers: dict[str, str]) -> Response:
    accepted = [part.strip().split(";")[0] for part in request.headers.get("accept-encoding", "").split(",")]
    if "gzip" in accepted and len(body) > _SMALL_BYTES:
        body = gzip.compress(body, _LEVEL, mtime=0)
        headers = headers | {"Content-Encoding": "gzip"}
    return Response(body, status_code=status, media_type=media_type, headers=headers)
