"""Identifiers of the wire: UUIDs in canonical text (RFC 9562, section 4), those of readings and batches of version 7.

They stay text on the wire and in memory: building an object for each costs a collector more than all other decoding.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Annotated
from uuid import UUID

import msgspec

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CANONICAL_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

IDENTIFIER_PATTERN = f"^{_CANONICAL.pattern}$"
"""The form of an identifier, for descriptions of the wire."""
# The patterns are described and not given to the decoder: the Structs check the form of a column's table once.
Identifier = Annotated[
    str, msgspec.Meta(min_length=36, max_length=36, extra_json_schema={"pattern": IDENTIFIER_PATTERN})
]
"""A UUID in canonical text; its Struct checks the form by `is_identifier`."""
Identifier7 = Annotated[
    str, msgspec.Meta(min_length=36, max_length=36, extra_json_schema={"pattern": f"^{_CANONICAL_7.pattern}$"})
]
"""A UUID of version 7 in canonical text; its Struct checks the form by `is_uuid7`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=65_536)
def is_identifier(text: str) -> bool:
    """Tell whether `text` is a UUID in canonical lower case; remembered, since devices and boots recur."""
    return _CANONICAL.fullmatch(text) is not None


def is_uuid7(text: str) -> bool:
    """Tell whether `text` is a UUID of version 7 in canonical lower case."""
    return _CANONICAL_7.fullmatch(text) is not None


def new_uuid7(at: datetime, random: Random) -> str:
    """Return a version 7 UUID that sorts by `at`, an aware time not before 1970.

    Raises ValueError for a time that 48 bits of milliseconds cannot hold.
    """
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= milliseconds < 1 << 48:
        raise ValueError(f"no UUID of version 7 can hold the time {at.isoformat()}")
    value = milliseconds << 80 | 0x7 << 76 | random.getrandbits(12) << 64 | 0b10 << 62 | random.getrandbits(62)
    return str(UUID(int=value))


def uuid7_time(identifier: str) -> datetime:
    """Return the time that a version 7 UUID holds; raises ValueError for anything else."""
    if not is_uuid7(identifier):
        raise ValueError(f"{identifier!r} is not a UUID of version 7 in lower case")
    return _EPOCH + timedelta(milliseconds=UUID(identifier).int >> 80)
