"""Plain records of the registry: no database here, so that pure code may use them."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from mektep_wire import Origin


class Technology(StrEnum):
    """How a school's line reaches it."""

    FIBRE = "fibre"
    DSL = "dsl"
    RADIO = "radio"
    MOBILE = "mobile"
    SATELLITE = "satellite"
    OTHER = "other"
    UNKNOWN = "unknown"


class Commitment(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider's contract promises, from `valid_from` until a later commitment replaces it."""

    provider: str
    download_mbps: float
    upload_mbps: float
    valid_from: date


class School(msgspec.Struct, frozen=True, kw_only=True):
    """One school. `id` is the operator's own (BIN, NOBD or another): text, leading zeros and all.

    `region` is an ISO 3166-2 code such as KZ-61. `norm_mbps` overrides the norm's formula where an operator sets it.
    """

    id: str
    name: str
    region: str
    district: str = ""
    time_zone: str = "Asia/Almaty"
    pupils_count: int | None = None
    places_count: int | None = None
    technology: Technology = Technology.UNKNOWN
    norm_mbps: float | None = None
    commitment: Commitment | None = None


class DeviceStatus(StrEnum):
    """Whether a device may send. What it sent stays, whatever its status."""

    ACTIVE = "active"
    REVOKED = "revoked"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One enrolled computer. It belongs to one school for ever: a computer that moves enrols anew as another device."""

    id: str
    school_id: str
    public_key: bytes
    status: DeviceStatus
    enrolled_at: datetime
    agent_version: str
    platform: str
    last_seen_at: datetime | None = None
    origin: Origin = Origin.MEASURED
    """What its readings are: all of them bear this mark, or are refused."""
    renewal_asked_at: datetime | None = None
    """The operator wants tokens renewed that were made before; None: none was asked for."""
