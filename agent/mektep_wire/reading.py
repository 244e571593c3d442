"""The reading: one result of one run of one probe, the only shape from the engine to the page.

Terms follow RFC 7594 (LMAP) and RFC 8911. Times are aware; durations come from the monotonic clock.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from mektep_wire.diagnosis import Diagnosis
from mektep_wire.failure import Failure
from mektep_wire.identifier import Identifier, Identifier7, is_identifier, is_uuid7
from mektep_wire.metric import METRICS, Metric
from mektep_wire.outage import Outage

MAX_READING_BYTES = 16_384
"""A reading in JSON is never larger."""
MAX_METRICS = 32
"""A reading has no more values."""
_AtMost = msgspec.Meta(max_length=MAX_METRICS)

_MAX_INTEGER = 2**53 - 1
_MAX_TEST_BYTES = 10**13

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=0, le=_MAX_INTEGER)]
Bytes = Annotated[int, msgspec.Meta(ge=0, le=_MAX_TEST_BYTES)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=4e9)]
Number = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
Version = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Seq = Annotated[int, msgspec.Meta(ge=1, le=_MAX_INTEGER)]
TargetAddress = Annotated[str, msgspec.Meta(max_length=300)]
Method = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}/[0-9]{1,4}$")]
Slot = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{1,2}$")]
Confidence = Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
StreamsCount = Annotated[int, msgspec.Meta(ge=2, le=64)]
RateMbps = Annotated[float, msgspec.Meta(ge=0.0, le=100_000.0)]


class ProbeName(StrEnum):
    """What was measured."""

    THROUGHPUT = "throughput"
    LATENCY = "latency"
    PATH = "path"
    PLATFORM = "platform"
    OUTAGE = "outage"


class Direction(StrEnum):
    """Which way the bytes of a throughput test go, seen from the school."""

    DOWNLOAD = "download"
    UPLOAD = "upload"


class EngineName(StrEnum):
    """How it was measured. Values of different engines are never mixed in one statistic."""

    NDT7 = "ndt7"
    LIBRESPEED = "librespeed"
    SPEEDTEST = "speedtest"
    IPERF3 = "iperf3"
    UDP_ECHO = "udp_echo"
    ICMP = "icmp"
    TCP_CONNECT = "tcp_connect"
    DNS = "dns"
    HTTP = "http"
    HEARTBEAT = "heartbeat"


class Outcome(StrEnum):
    """How a run ended. Only `ok` carries a throughput; `skipped` says why in `skip`, `failed` in `failure`."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Trigger(StrEnum):
    """What started a run."""

    SLOT = "slot"
    STARTUP = "startup"
    INTERVAL = "interval"
    RETEST = "retest"
    MANUAL = "manual"
    AUDIT = "audit"
    EVENT = "event"


class SkipReason(StrEnum):
    """Why a planned run was not made. A skipped run is neither a success nor a failure."""

    MACHINE_OFF = "machine_off"
    PAUSED = "paused"
    DATA_BUDGET = "data_budget"
    BUSY_LINK = "busy_link"
    OTHER_PROBER = "other_prober"
    TARGET_POLICY = "target_policy"


class StopReason(StrEnum):
    """Why a throughput test ended."""

    FULL_LENGTH = "full_length"
    CONVERGED = "converged"
    BYTE_CAP = "byte_cap"
    SERVER_CLOSED = "server_closed"
    CONNECTION_LOST = "connection_lost"


class Origin(StrEnum):
    """Whether a reading was measured or made by the simulator; simulated data never passes for measured data."""

    MEASURED = "measured"
    SIMULATED = "simulated"


class ClockStatus(StrEnum):
    """What the agent knows of its wall clock."""

    COMPARED = "compared"
    UNKNOWN = "unknown"


class Access(StrEnum):
    """How this computer is tied to the school's network."""

    WIRED = "wired"
    WIFI = "wifi"
    MOBILE = "mobile"
    UNKNOWN = "unknown"


class Power(StrEnum):
    """What feeds this computer."""

    MAINS = "mains"
    BATTERY = "battery"
    UNKNOWN = "unknown"


class Vpn(StrEnum):
    """Whether the default route goes through a tunnel."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Clock(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """State of the agent's wall clock when the run began.

    `offset_s` is the collector's clock less the agent's at the last comparison, `compared_s` the monotonic age of
    that comparison. Both are None while the status is `unknown`.
    """

    status: ClockStatus = ClockStatus.UNKNOWN
    offset_s: Number | None = None
    compared_s: Seconds | None = None

    def __post_init__(self) -> None:
        """Refuse a status that its numbers belie."""
        known = self.offset_s is not None and self.compared_s is not None
        if known is not (self.status is _COMPARED):
            raise ValueError("`clock.status` is `compared` exactly when `offset_s` and `compared_s` are both given")


class Interval(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Interval of confidence of a value, in the value's own unit."""

    low: Number
    high: Number
    confidence_ratio: Confidence

    def __post_init__(self) -> None:
        """Refuse an interval that ends before it begins."""
        if self.low > self.high:
            raise ValueError(f"`intervals`: low {self.low} is above high {self.high}")


class Conditions(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What stood around the run and may explain its result.

    `cross_traffic_mbps` is what this computer's other programs moved meanwhile, both ways; `deferral_count` is how
    often the run was put off because others used the line.
    """

    access: Access = Access.UNKNOWN
    power: Power = Power.UNKNOWN
    vpn: Vpn = Vpn.UNKNOWN
    cross_traffic_mbps: RateMbps | None = None
    cpu_ratio: Share | None = None
    deferral_count: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0


# Looked up for every reading that a collector takes in: a member of an enum costs a call in Python 3.11.
_FAILED, _SKIPPED, _THROUGHPUT = Outcome.FAILED, Outcome.SKIPPED, ProbeName.THROUGHPUT
_OUTAGE = ProbeName.OUTAGE
_COMPARED = ClockStatus.COMPARED
_BOUNDS = {metric: (facts.low, facts.high) for metric, facts in METRICS.items()}


class Reading(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One result of one run; a throughput test gives one for each direction.

    (device, `epoch`, `seq`) is unique for ever: `epoch` is the birth id of the outbox, `seq` counts up from 1 in it
    without a gap, so a collector knows what it has not got. `sample_counts` says on how many observations each value
    rests, `streams_count` how many connections loaded the link together, where it was more than one, and
    `loaded_rtt_engine` what timed the round trips beside that load. `diagnosis` stands on slow and failed runs alone.
    Raises ValueError (msgspec.ValidationError when decoded) for values outside a metric's bounds and for an outcome
    that contradicts `failure`, `skip` or `values`.
    """

    id: Identifier7
    epoch: Identifier
    seq: Seq
    probe: ProbeName
    engine: EngineName
    engine_version: Version
    target: TargetAddress
    trigger: Trigger
    started_at: Aware
    started_monotonic_s: Seconds
    boot_id: Identifier
    duration_s: Seconds
    outcome: Outcome
    clock: Clock = Clock()
    direction: Direction | None = None
    method: Method | None = None
    slot: Slot | None = None
    values: Annotated[dict[Metric, Number], msgspec.Meta(max_length=MAX_METRICS)] = msgspec.field(default_factory=dict)
    sample_counts: Annotated[dict[Metric, Count], msgspec.Meta(max_length=MAX_METRICS)] = msgspec.field(
        default_factory=dict
    )
    intervals: Annotated[dict[Metric, Interval], msgspec.Meta(max_length=MAX_METRICS)] = msgspec.field(
        default_factory=dict
    )
    bytes_sent: Bytes = 0
    bytes_received: Bytes = 0
    failure: Failure | None = None
    skip: SkipReason | None = None
    stop_reason: StopReason | None = None
    streams_count: StreamsCount | None = None
    loaded_rtt_engine: EngineName | None = None
    conditions: Conditions = Conditions()
    origin: Origin = Origin.MEASURED
    outage: Outage | None = None
    diagnosis: Diagnosis | None = None

    def __post_init__(self) -> None:
        """Hold the promises that types alone cannot state."""
        if not is_uuid7(self.id):
            raise ValueError("`id` must be a UUID of version 7 in lower case")
        if not (is_identifier(self.epoch) and is_identifier(self.boot_id)):
            raise ValueError("`epoch` and `boot_id` must be UUIDs in lower case")
        values = self.values
        for metric, value in values.items():
            low, high = _BOUNDS[metric]
            if not low <= value <= high:
                raise _outside(metric, value)
        if not (self.sample_counts.keys() <= values.keys() and self.intervals.keys() <= values.keys()):
            raise ValueError("`sample_counts` and `intervals` may only name metrics that `values` holds")
        outcome = self.outcome
        if (self.failure is not None) is not (outcome is _FAILED):
            raise ValueError("`failure` is given exactly when `outcome` is `failed`")
        if (self.skip is not None) is not (outcome is _SKIPPED):
            raise ValueError("`skip` is given exactly when `outcome` is `skipped`")
        if (self.direction is not None) is not (self.probe is _THROUGHPUT):
            raise ValueError("`direction` is given exactly when `probe` is `throughput`")
        if self.outage is not None and self.probe is not _OUTAGE:
            raise ValueError("`outage` may only be given when `probe` is `outage`")
        if outcome is _SKIPPED and values:
            raise ValueError("`values` must be empty when `outcome` is `skipped`")


def _outside(metric: Metric, value: float) -> ValueError:
    facts = METRICS[metric]
    return ValueError(f"`values.{metric.value}` is {value}, outside {facts.low:g} to {facts.high:g} {facts.unit.value}")
