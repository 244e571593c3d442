"""Which runs of a device are audits: drawn by a keyed hash, so that agent and collector draw the same, each by itself.

An audit goes on to full length whatever the stop rule says, and reports both figures of that one transfer. Who does
not know the seed cannot tell an audit from another run before it is over, so nobody can be better at audits alone.
"""

import hmac
from typing import Annotated, Final

import msgspec

AUDIT_SEED_BYTES: Final = 16
"""Length of an audit seed."""
AuditSeed = Annotated[
    bytes,
    msgspec.Meta(
        min_length=AUDIT_SEED_BYTES,
        max_length=AUDIT_SEED_BYTES,
        extra_json_schema={"pattern": "^[A-Za-z0-9+/]{21}[AQgw]==$"},
    ),
]
"""The key of the draw."""

_DRAWN_BYTES: Final = 8
_DRAWN_END: Final = 1 << 64


def is_audit(seed: bytes, device_id: str, slot: str, ratio: float) -> bool:
    """Tell whether the run of `slot` is an audit, where one run in `1 / ratio` is.

    The rule: HMAC-SHA-256 (RFC 2104) with the seed as key, over `device_id`, a line feed and `slot` in ASCII; its first
    8 bytes, as an unsigned big-endian integer divided by 2^64, are less than `ratio`. A slot that is an audit at one
    ratio is one at every higher ratio. Only runs of slots are drawn; one that was left out is not made up for.
    """
    drawn = hmac.digest(seed, f"{device_id}\n{slot}".encode("ascii"), "sha256")
    return int.from_bytes(drawn[:_DRAWN_BYTES], "big") < ratio * _DRAWN_END
