"""The endpoints that LibreSpeed's clients ask for (LibreSpeed 6): garbage, empty and getIP; without I/O.

Each is there with and without `backend/` and `.php`, since clients are set up for either. A client that asks with
`cors` may be a page from elsewhere.
"""

import ipaddress
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs

import msgspec

from mektep_collector.measure.request import Request
from mektep_collector.measure.web_body import body_bytes
from mektep_collector.measure.web_plan import NO_STORE, Answer, Fill, Headers, Plan, Take

PIECE_BYTES: Final = 1 << 20
"""`ckSize` counts in these."""
DEFAULT_PIECES: Final = 4
MOST_PIECES: Final = 1_024
_CORS: Final = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "GET, POST"))
_ENOUGH_DIGITS: Final = 6


def _garbage(request: Request, client: str, headers: Headers) -> Plan:
    return Fill(
        size_bytes=pieces(request) * PIECE_BYTES,
        media_type="application/octet-stream",
        headers=(*headers, ("Content-Disposition", "attachment; filename=random.dat")),
    )


def _empty(request: Request, client: str, headers: Headers) -> Plan:
    answer = Answer(headers=headers)
    return Take(size_bytes=body_bytes(request), answer=answer) if request.method == "POST" else answer


def _address(request: Request, client: str, headers: Headers) -> Plan:
    where = ipaddress.ip_address(client.partition("%")[0])
    shown = f"{client} - {'private address' if where.is_private else 'unknown provider'}"
    body = msgspec.json.encode({"processedString": shown, "rawIspInfo": ""})
    return Answer(media_type="application/json; charset=utf-8", body=body, headers=headers)


_Answering = Callable[[Request, str, Headers], Plan]
_PATHS: Mapping[str, _Answering] = MappingProxyType(
    {
        f"/{folder}{name}{suffix}": answering
        for folder in ("", "backend/")
        for suffix in ("", ".php")
        for name, answering in (("garbage", _garbage), ("empty", _empty), ("getIP", _address))
    }
)


def librespeed_plan(request: Request, client: str) -> Plan | None:
    """Return what to do about a request from the address `client`; None where the path is not LibreSpeed's.

    Raises BodyError for an upload that cannot be taken.
    """
    answering = _PATHS.get(request.path)
    if answering is None:
        return None
    headers = (*NO_STORE, *_CORS) if "cors" in parse_qs(request.query, keep_blank_values=True) else NO_STORE
    if request.method == "OPTIONS":
        return Answer(headers=(*headers, ("Access-Control-Allow-Headers", "Content-Encoding, Content-Type")))
    if request.method not in {"GET", "POST"}:
        return Answer(status=405, headers=(*headers, ("Allow", "GET, POST, OPTIONS")))
    return answering(request, client, headers)


def pieces(request: Request) -> int:
    """Return how many MiB a download is to have: `ckSize`, 4 where that is no number above 0, 1024 at most."""
    asked = parse_qs(request.query).get("ckSize", [""])[0]
    if not (asked.isascii() and asked.isdecimal()):
        return DEFAULT_PIECES
    return min(int(asked[:_ENOUGH_DIGITS]), MOST_PIECES) or DEFAULT_PIECES
