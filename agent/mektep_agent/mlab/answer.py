"""What M-Lab's Locate (version 2) answered, in our words."""

from enum import StrEnum

import msgspec

from mektep_wire import FailureKind

_NO_CONTENT, _TOO_MANY = 204, 429
_DOWNLOAD_KEY = "wss:///ndt/v7/download"


class LocateOutcome(StrEnum):
    """What came of asking for a server."""

    FOUND = "found"
    NO_CAPACITY = "no_capacity"
    """M-Lab has no server for us now, or asks us to come less often."""
    FAILED = "failed"
    """M-Lab could not be asked."""


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: `address` of an NDT7 server with its access token, or what stood in the way."""

    outcome: LocateOutcome
    address: str = ""
    retry_after_s: float | None = None
    failure: FailureKind | None = None
    detail: str = ""


class _Result(msgspec.Struct):
    urls: dict[str, str]


class _Body(msgspec.Struct):
    results: list[_Result] = []


def read_answer(status: int, body: bytes, retry_after_s: float | None = None) -> Located:
    """Return what an answer of this status means."""
    if status in {_NO_CONTENT, _TOO_MANY} or status >= 500:
        return Located(outcome=LocateOutcome.NO_CAPACITY, retry_after_s=retry_after_s, detail=f"HTTP {status}")
    if status != 200:
        return Located(
            outcome=LocateOutcome.FAILED, failure=FailureKind.HANDSHAKE_REFUSED, detail=f"Locate answered HTTP {status}"
        )
    try:
        found = msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Located(
            outcome=LocateOutcome.FAILED,
            failure=FailureKind.PROTOCOL_ERROR,
            detail=f"Locate's answer does not read: {error}"[:500],
        )
    addresses = [one.urls[_DOWNLOAD_KEY] for one in found.results if _DOWNLOAD_KEY in one.urls]
    if not addresses:
        return Located(outcome=LocateOutcome.NO_CAPACITY, detail="Locate named no server that speaks NDT7 over TLS")
    return Located(outcome=LocateOutcome.FOUND, address=addresses[0])
