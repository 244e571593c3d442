"""What agent and collector share, and nothing else.

A type may enter this package only if it crosses the wire between a school's agent and the collector. The package
imports msgspec and the standard library, does no I/O and reads no clock. Its logic is validation, and what both sides
must read in one way: which tests are audits (`is_audit`), and which days are school days (`school_calendar`).
Numeric fields carry their unit in their name; unknown fields are refused; every Struct is frozen.
"""

from mektep_wire.assignment import (
    TOKEN_LIFETIME_S,
    Assignment,
    DateRange,
    SchoolHours,
    SignedAssignment,
    Target,
    Weekday,
)
from mektep_wire.audit import AUDIT_SEED_BYTES, is_audit
from mektep_wire.batch import Batch, Fate, FateOutcome, Receipt
from mektep_wire.columnar import are_good, pack, rows, select, unpack
from mektep_wire.columns import MAX_BATCH_READINGS, Columns
from mektep_wire.decode import WireError, decode, encode
from mektep_wire.diagnosis import (
    MAX_HOPS,
    Cause,
    CauseReason,
    Diagnosis,
    Evidence,
    ExpectedFrom,
    Seen,
    Trips,
)
from mektep_wire.enrolment import EnrolmentGrant, EnrolmentRequest, Platform
from mektep_wire.failure import Failure, FailureKind
from mektep_wire.identifier import Identifier, is_identifier, is_uuid7, new_uuid7, uuid7_time
from mektep_wire.lease import LeaseAnswer, LeaseEnd, LeaseRequest, LeaseState
from mektep_wire.metric import METRICS, Metric, MetricFacts, Unit
from mektep_wire.outage import Outage, OutageCause
from mektep_wire.problem import Problem, ProblemKind
from mektep_wire.reading import (
    Access,
    Clock,
    ClockStatus,
    Conditions,
    Direction,
    EngineName,
    Interval,
    Origin,
    Outcome,
    Power,
    ProbeName,
    Reading,
    SkipReason,
    StopReason,
    Trigger,
    Vpn,
)
from mektep_wire.renewal import RENEWAL_FRESH_S, RENEWAL_NONCE_BYTES, TokenGrant, TokenRequest
from mektep_wire.signature import Purpose, format_signature, parse_signature, signing_input
from mektep_wire.version import VERSION, WIRE_VERSION

__all__ = [
    "AUDIT_SEED_BYTES",
    "MAX_BATCH_READINGS",
    "MAX_HOPS",
    "METRICS",
    "RENEWAL_FRESH_S",
    "RENEWAL_NONCE_BYTES",
    "TOKEN_LIFETIME_S",
    "VERSION",
    "WIRE_VERSION",
    "Access",
    "Assignment",
    "Batch",
    "Cause",
    "CauseReason",
    "Clock",
    "ClockStatus",
    "Columns",
    "Conditions",
    "DateRange",
    "Diagnosis",
    "Direction",
    "EngineName",
    "EnrolmentGrant",
    "EnrolmentRequest",
    "Evidence",
    "ExpectedFrom",
    "Failure",
    "FailureKind",
    "Fate",
    "FateOutcome",
    "Identifier",
    "Interval",
    "LeaseAnswer",
    "LeaseEnd",
    "LeaseRequest",
    "LeaseState",
    "Metric",
    "MetricFacts",
    "Origin",
    "Outage",
    "OutageCause",
    "Outcome",
    "Platform",
    "Power",
    "ProbeName",
    "Problem",
    "ProblemKind",
    "Purpose",
    "Reading",
    "Receipt",
    "SchoolHours",
    "Seen",
    "SignedAssignment",
    "SkipReason",
    "StopReason",
    "Target",
    "TokenGrant",
    "TokenRequest",
    "Trigger",
    "Trips",
    "Unit",
    "Vpn",
    "Weekday",
    "WireError",
    "are_good",
    "decode",
    "encode",
    "format_signature",
    "is_audit",
    "is_identifier",
    "is_uuid7",
    "new_uuid7",
    "pack",
    "parse_signature",
    "rows",
    "select",
    "signing_input",
    "unpack",
    "uuid7_time",
]
