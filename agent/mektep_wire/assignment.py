"""What the collector asks of an agent: schedule, targets and limits (an LMAP instruction, RFC 7594).

An assignment is signed by the collector and versioned; an agent refuses a bad or older one and keeps the last good one.
"""

from collections.abc import Sequence
from datetime import date, time
from enum import StrEnum
from typing import Annotated

import msgspec

from mektep_wire.audit import AuditSeed
from mektep_wire.identifier import Identifier
from mektep_wire.reading import Aware, ProbeName
from mektep_wire.signature import Signature

TOKEN_LIFETIME_S = 7_776_000.0
"""90 days: after so long a token is renewed where the assignment says nothing else."""


class Weekday(StrEnum):
    """Days of the week, Monday first (ISO 8601)."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class SchoolHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """School hours of one weekday in the school's local time, from `opens_at` up to, not with, `closes_at`."""

    weekday: Weekday
    opens_at: time
    closes_at: time

    def __post_init__(self) -> None:
        """Refuse hours that end before they begin, or times with an offset: they are local by definition."""
        if self.opens_at.tzinfo is not None or self.closes_at.tzinfo is not None:
            raise ValueError("`opens_at` and `closes_at` are local times without an offset")
        if self.opens_at >= self.closes_at:
            raise ValueError("`opens_at` must be before `closes_at`")


class DateRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse a range that ends before it begins."""
        if self.first > self.last:
            raise ValueError("`first` must not be after `last`")


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Where a probe measures to: `ws://host:port`, `wss://host`, `udp://host:port`, `tcp://host:port`, `dns://name`.

    For the platform probe: `https://host/path`, a small public page. `expected_text` is what the page must hold, if
    anything; `name` is what people call the target.
    """

    probe: ProbeName
    address: Annotated[str, msgspec.Meta(max_length=300, pattern=r"^(wss?|udp|tcp|dns|https?)://[^\s/]+(/[^\s]*)?$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] | None = None
    expected_text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None

    def __post_init__(self) -> None:
        """Refuse a platform without TLS: nothing tells it from whatever stands on the way."""
        if self.probe is ProbeName.PLATFORM and not self.address.startswith("https://"):
            raise ValueError("a target of the platform probe begins with https://")


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Schedule, targets and limits of one device.

    `time_zone` is a tz database name. Days off are the public holidays of `holiday_country` and `days_off`, less
    `working_days` (a government may move a working day). `contracted_*_mbps` and `norm_mbps` are for the local page.
    `audit_ratio` of the slots are audits, drawn by `audit_seed` as `is_audit` says; without a seed none is. Where they
    show that shortened tests miss by more than `shortcut_error_max_ratio`, the device tests at full length by itself.

    A token is renewed when it is `token_lifetime_s` old (0: never; None: as `TOKEN_LIFETIME_S` says), and one made
    before `renewal_asked_at` at once. Both are left out where they are None, so that an agent which does not know them
    yet can read the rest.
    """

    version: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    device_id: Identifier
    issued_at: Aware
    time_zone: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}$")]
    school_hours: Annotated[Sequence[SchoolHours], msgspec.Meta(max_length=14)]
    holiday_country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")] | None
    days_off: Annotated[Sequence[DateRange], msgspec.Meta(max_length=100)]
    working_days: Annotated[Sequence[DateRange], msgspec.Meta(max_length=100)]
    throughput_slots_count: Annotated[int, msgspec.Meta(ge=0, le=24)]
    latency_interval_s: Annotated[float, msgspec.Meta(ge=60.0, le=86_400.0)]
    path_interval_s: Annotated[float, msgspec.Meta(ge=60.0, le=86_400.0)]
    send_interval_s: Annotated[float, msgspec.Meta(ge=1.0, le=86_400.0)]
    month_budget_bytes: Annotated[int, msgspec.Meta(ge=0, le=10**15)] | None
    targets: Annotated[Sequence[Target], msgspec.Meta(max_length=64)]
    norm_mbps: Annotated[float, msgspec.Meta(gt=0.0, le=100_000.0)] | None
    contracted_download_mbps: Annotated[float, msgspec.Meta(gt=0.0, le=100_000.0)] | None
    contracted_upload_mbps: Annotated[float, msgspec.Meta(gt=0.0, le=100_000.0)] | None
    platform_interval_s: Annotated[float, msgspec.Meta(ge=3_600.0, le=86_400.0)] = 3_600.0
    audit_ratio: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.05
    audit_seed: AuditSeed | None = None
    shortcut_error_max_ratio: Annotated[float, msgspec.Meta(ge=0.001, le=1.0)] = 0.05
    token_lifetime_s: Annotated[float, msgspec.Meta(ge=0.0, le=4e9)] | None = None
    renewal_asked_at: Aware | None = None


class SignedAssignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The exact bytes of an encoded `Assignment`, with the collector's signature over them."""

    payload: Annotated[bytes, msgspec.Meta(max_length=65_536)]
    signature: Signature
