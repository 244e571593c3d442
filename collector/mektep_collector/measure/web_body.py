"""How long a request's body is, and which bodies are taken."""

from typing import Final

from mektep_collector.measure.request import Request
from mektep_collector.measure.web_plan import Answer

MOST_BODY_BYTES: Final = 64_000_000
"""LibreSpeed's page posts 20 MB at a time."""
_MOST_DIGITS: Final = 12


class BodyError(Exception):
    """A body that is not taken; `answer` says why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.answer = Answer(status=status, body=text.encode() + b"\n")


def body_bytes(request: Request) -> int | None:
    """Return the length of the body that follows the head, 0 for none, None where it comes in chunks.

    Raises BodyError.
    """
    if "transfer-encoding" in request.headers:
        if request.tokens("transfer-encoding") != ["chunked"] or "content-length" in request.headers:
            raise BodyError(400, "A body comes in chunks or with Content-Length, in one of the two ways.")
        return None
    told = request.headers.get("content-length", "0")
    if not (told.isascii() and told.isdecimal() and len(told) <= _MOST_DIGITS):
        raise BodyError(400, "Content-Length is no number.")
    if int(told) > MOST_BODY_BYTES:
        raise BodyError(413, f"A body may have {MOST_BODY_BYTES} bytes.")
    return int(told)
