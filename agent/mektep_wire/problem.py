"""Errors over HTTP: problem details (RFC 9457) that say what is wrong, where, and what to do."""

from enum import StrEnum
from typing import Annotated

import msgspec

PROBLEM_MEDIA_TYPE = "application/problem+json"


class ProblemKind(StrEnum):
    """The closed list of problems; it is the last part of the problem's `type`."""

    BODY_TOO_LARGE = "body-too-large"
    UNSUPPORTED_ENCODING = "unsupported-encoding"
    BAD_COMPRESSION = "bad-compression"
    MALFORMED = "malformed"
    INVALID_FIELD = "invalid-field"
    UNAUTHORISED = "unauthorised"
    DEVICE_REVOKED = "device-revoked"
    BAD_SIGNATURE = "bad-signature"
    OTHER_DEVICE = "other-device"
    CODE_UNKNOWN = "code-unknown"
    CODE_EXPIRED = "code-expired"
    CODE_SPENT = "code-spent"
    REPLAYED = "replayed"
    TOO_MANY_REQUESTS = "too-many-requests"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One error: `title` names it, `detail` says what is wrong here, `advice` what to do, `field` where."""

    type: str
    title: str
    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    detail: str
    advice: str = ""
    field: str | None = None
