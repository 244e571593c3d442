"""Whether shortened tests can be relied on here, judged by audits: pure, with hysteresis.

An audit gives one error: what the shortened test would have said, over what the whole transfer said, less one. A link
falls back to full length when the median of its last `JUDGED_COUNT` errors, whatever their sign, is above the promise.
So one stray audit among good ones changes nothing, two do, and a first one that is bad is believed at once. While it
tests at full length every test is an audit; it returns when `RETURN_COUNT` in a row are clearly within the promise.
"""

from collections.abc import Sequence
from enum import StrEnum
from statistics import median
from typing import Final

import msgspec

JUDGED_COUNT: Final = 3
"""So many of the latest audits decide whether to fall back."""
RETURN_COUNT: Final = 8
"""So many audits in a row must agree before tests are shortened again."""
RETURN_SHARE: Final = 0.8
"""An audit agrees when its error is at most this share of the promise."""


class Reliance(StrEnum):
    """How this link is tested."""

    SHORTENED = "shortened"
    FULL_LENGTH = "full_length"


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What the audits of one link came to: the latest errors as signed shares, the newest last, at most `RETURN_COUNT`.

    `audits_count` counts all that were made.
    """

    reliance: Reliance = Reliance.SHORTENED
    errors_ratio: tuple[float, ...] = ()
    audits_count: int = 0


def error_ratio(shortened_mbps: float, full_length_mbps: float) -> float:
    """Return by what share the shortened figure misses the other one; raises ValueError for a figure of no rate."""
    if full_length_mbps <= 0:
        raise ValueError("a full-length figure of 0 Mbit/s is no yardstick")
    return shortened_mbps / full_length_mbps - 1.0


def typical_error_ratio(errors_ratio: Sequence[float]) -> float | None:
    """Return the median size of the errors, or None without any."""
    return median(map(abs, errors_ratio)) if errors_ratio else None


def weigh(trust: Trust, one_error_ratio: float, error_max_ratio: float) -> Trust:
    """Return the trust after one more audit; `error_max_ratio` is the promise."""
    errors = (*trust.errors_ratio, one_error_ratio)[-RETURN_COUNT:]
    weighed = Trust(reliance=trust.reliance, errors_ratio=errors, audits_count=trust.audits_count + 1)
    if trust.reliance is Reliance.FULL_LENGTH:
        agree = len(errors) == RETURN_COUNT and all(abs(one) <= RETURN_SHARE * error_max_ratio for one in errors)
        return msgspec.structs.replace(weighed, reliance=Reliance.SHORTENED) if agree else weighed
    judged = typical_error_ratio(errors[-JUDGED_COUNT:])
    if judged is not None and judged > error_max_ratio:
        return msgspec.structs.replace(weighed, reliance=Reliance.FULL_LENGTH)
    return weighed
