"""How many pupils could do a lesson's work at once on the line as it was measured, and what limits them. Pure.

Speeds add up over pupils: the line carries as many as its speed holds of one pupil's need. Round-trip time and loss
hold for each pupil alike: beyond the limit nobody can work. Every need comes from the operator's table.
"""

import math
from datetime import datetime
from enum import StrEnum

import msgspec

from mektep_collector.config.lesson_needs import LessonNeed
from mektep_collector.sla.platform import PlatformState

_ROUNDING = 1e-9


class Limit(StrEnum):
    """What keeps the count of pupils from being higher."""

    DOWNLOAD = "download"
    UPLOAD = "upload"
    LATENCY = "latency"
    LOSS = "loss"
    PLATFORM = "platform"
    INTERNET = "internet"
    NOT_MEASURED = "not_measured"
    """Something that the answer needs was not measured lately: there is no count."""


class Quantity(StrEnum):
    """What an answer rests on."""

    DOWNLOAD = "download"
    UPLOAD = "upload"
    LATENCY = "latency"
    LOSS = "loss"
    PLATFORM = "platform"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity: its value, how many observations it rests on, and when the newest was made."""

    value: float
    count: int
    at: datetime


class LineState(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured lately: Mbit/s, ms and ratio; None for what was not. `state` is the platform's newest."""

    download: Measured | None = None
    upload: Measured | None = None
    rtt: Measured | None = None
    loss: Measured | None = None
    state: PlatformState = PlatformState.UNKNOWN
    state_at: datetime | None = None


class LessonReadiness(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `missing` names what was not measured; loss alone may be missing beside a count."""

    pupils_count: int | None
    limit: Limit
    missing: tuple[Quantity, ...]


def least_loss_probes_count(need: LessonNeed) -> int:
    """Return how many packets must have been sent for a loss at the limit to be seen (the rule of three: 3 / limit)."""
    return math.ceil(3.0 / need.max_loss_ratio - _ROUNDING)


def readiness(need: LessonNeed, line: LineState) -> LessonReadiness:
    """Return how many pupils could do what `need` describes at once.

    Of two limits the one that stops everybody is named first; of the two speeds the one that holds fewer pupils.
    """
    loss = line.loss if line.loss is not None and line.loss.count >= least_loss_probes_count(need) else None
    found = {
        Quantity.DOWNLOAD: line.download,
        Quantity.UPLOAD: line.upload,
        Quantity.LATENCY: line.rtt,
        Quantity.LOSS: loss,
        Quantity.PLATFORM: None if line.state is PlatformState.UNKNOWN else line.state,
    }
    missing = tuple(quantity for quantity, value in found.items() if value is None)
    if line.state is PlatformState.INTERNET_DOWN:
        return LessonReadiness(pupils_count=0, limit=Limit.INTERNET, missing=missing)
    if line.state is PlatformState.PLATFORM_DOWN:
        return LessonReadiness(pupils_count=0, limit=Limit.PLATFORM, missing=missing)
    if line.rtt is not None and line.rtt.value > need.max_rtt_ms:
        return LessonReadiness(pupils_count=0, limit=Limit.LATENCY, missing=missing)
    if loss is not None and loss.value > need.max_loss_ratio:
        return LessonReadiness(pupils_count=0, limit=Limit.LOSS, missing=missing)
    if line.download is None or line.upload is None or set(missing) - {Quantity.LOSS}:
        return LessonReadiness(pupils_count=None, limit=Limit.NOT_MEASURED, missing=missing)
    by_download = _pupils_count(line.download.value, need.download_mbps)
    by_upload = _pupils_count(line.upload.value, need.upload_mbps)
    limit = Limit.UPLOAD if by_upload < by_download else Limit.DOWNLOAD
    return LessonReadiness(pupils_count=min(by_download, by_upload), limit=limit, missing=missing)


def _pupils_count(line_mbps: float, pupil_mbps: float) -> int:
    return math.floor(line_mbps / pupil_mbps + _ROUNDING)
