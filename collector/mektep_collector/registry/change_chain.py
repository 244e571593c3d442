"""Pure: how each change is chained to the one before, and where a chain is broken."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

NO_HASH = bytes(32)
"""What stands as the previous hash of the first change."""


class Action(StrEnum):
    """What was done."""

    CODES_ISSUED = "codes_issued"
    SCHOOLS_IMPORTED = "schools_imported"
    DEVICE_ENROLLED = "device_enrolled"
    TOKEN_ISSUED = "token_issued"  # noqa: S105 (no secret: the name of an action)
    TOKEN_RENEWED = "token_renewed"  # noqa: S105 (as above)
    TOKENS_ENDED = "tokens_ended"
    RENEWAL_ASKED = "renewal_asked"
    DEVICE_REVOKED = "device_revoked"
    PERSON_ADDED = "person_added"
    PERSON_CHANGED = "person_changed"
    PERSON_DISABLED = "person_disabled"
    PERSON_ENABLED = "person_enabled"
    PASSWORD_SET = "password_set"  # noqa: S105 (the name of an action too)
    PASSWORD_DROPPED = "password_dropped"  # noqa: S105 (and this)
    SECOND_FACTOR_SET = "second_factor_set"
    SECOND_FACTOR_DROPPED = "second_factor_dropped"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the log. `number` counts from 1; hashes are SHA-256; times are UTC to the microsecond.

    `before_hash` and `after_hash` are of the object as it was and became, None where there was nothing to compare.
    """

    number: int
    at: datetime
    actor: str
    action: str
    object: str
    before_hash: bytes | None
    after_hash: bytes | None
    previous_hash: bytes
    hash: bytes = b""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Where the chain does not hold, and why. `number` is the change that is wrong or missing."""

    number: int
    reason: str


def hash_of(change: Change) -> bytes:
    """Return the SHA-256 of all that a change says, the previous hash too, as a JSON list in the order of fields."""
    said = [
        change.number,
        change.at.astimezone(UTC).isoformat(timespec="microseconds"),
        change.actor,
        change.action,
        change.object,
        None if change.before_hash is None else change.before_hash.hex(),
        None if change.after_hash is None else change.after_hash.hex(),
        change.previous_hash.hex(),
    ]
    return hashlib.sha256(msgspec.json.encode(said)).digest()


def content_hash(content: object) -> bytes:
    """Return the SHA-256 of an object's state, as JSON."""
    return hashlib.sha256(msgspec.json.encode(content)).digest()


def first_fault(changes: Iterable[Change], end_number: int, end_hash: bytes) -> Fault | None:
    """Return the first place where changes, in the order of their numbers, do not lead to the given end; else None."""
    number, previous = 0, NO_HASH
    for change in changes:
        number += 1
        if change.number != number:
            return Fault(number=number, reason=f"it is missing; the next one there is {change.number}")
        if change.hash != hash_of(change):
            return Fault(number=number, reason="its content is not what its hash was made of: it was edited")
        if change.previous_hash != previous:
            return Fault(number=number, reason="it does not follow from the one before: one of them was replaced")
        previous = change.hash
    if number < end_number:
        return Fault(number=number + 1, reason=f"it is missing; the log ended with {end_number}")
    if number > end_number:
        return Fault(number=end_number + 1, reason=f"it was added by another hand; the log ended with {end_number}")
    if previous != end_hash:
        return Fault(number=number, reason="it is not the change that the log ended with: it was replaced")
    return None
