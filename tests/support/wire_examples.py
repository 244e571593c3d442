"""Hypothesis strategies for every wire type: whatever they make is valid, and what is valid they can make."""

import string
from datetime import UTC, date, datetime, time

import msgspec
from hypothesis import strategies as st

from mektep_wire import (
    METRICS,
    Access,
    Assignment,
    Batch,
    Clock,
    ClockStatus,
    Columns,
    Conditions,
    DateRange,
    Direction,
    EngineName,
    EnrolmentGrant,
    EnrolmentRequest,
    Failure,
    FailureKind,
    Fate,
    FateOutcome,
    Interval,
    LeaseAnswer,
    LeaseRequest,
    LeaseState,
    Metric,
    Origin,
    Outage,
    OutageCause,
    Outcome,
    Platform,
    Power,
    ProbeName,
    Problem,
    Reading,
    Receipt,
    SchoolHours,
    SignedAssignment,
    SkipReason,
    StopReason,
    Target,
    TokenGrant,
    TokenRequest,
    Trigger,
    Vpn,
    Weekday,
    decode,
    encode,
    pack,
)

moments = st.datetimes(datetime(1971, 1, 1), datetime(2262, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (bounds are naive)
identifiers = st.uuids().map(str)
uuid7s = st.integers(0, 2**122 - 1).map(
    lambda bits: (
        f"{(hex(bits >> 74)[2:]).zfill(12)[:8]}-{(hex(bits >> 74)[2:]).zfill(12)[8:12]}"
        f"-7{(hex(bits >> 62 & 0xFFF)[2:]).zfill(3)}-{'89ab'[bits >> 60 & 3]}"
        f"{(hex(bits >> 48 & 0xFFF)[2:]).zfill(3)}-{(hex(bits & 0xFFFFFFFFFFFF)[2:]).zfill(12)}"
    )
)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
versions = st.from_regex(r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True)
durations = st.floats(0, 4e9)
maybe_mbps = st.none() | st.floats(0.001, 100_000)


@st.composite
def _values(draw: st.DrawFn) -> dict[Metric, float]:
    chosen = draw(st.lists(st.sampled_from(Metric), unique=True, max_size=8))
    return {metric: draw(st.floats(METRICS[metric].low, METRICS[metric].high)) for metric in chosen}


@st.composite
def _intervals(draw: st.DrawFn) -> Interval:
    low, high = sorted((draw(st.floats(-1e9, 1e9)), draw(st.floats(-1e9, 1e9))))
    return Interval(low=low, high=high, confidence_ratio=draw(st.sampled_from([0.9, 0.95, 0.99])))


clocks = st.just(Clock()) | st.builds(
    Clock, status=st.just(ClockStatus.COMPARED), offset_s=st.floats(-1e9, 1e9), compared_s=durations
)
conditions = st.builds(
    Conditions,
    access=st.sampled_from(Access),
    power=st.sampled_from(Power),
    vpn=st.sampled_from(Vpn),
    cross_traffic_mbps=st.none() | st.floats(0, 100_000),
    cpu_ratio=st.none() | st.floats(0, 1),
    deferral_count=st.integers(0, 10_000),
)
outages = st.builds(
    Outage,
    cause=st.sampled_from(OutageCause),
    school_s=st.none() | st.floats(0, 31_622_400),
    begin_uncertainty_s=st.floats(0, 31_622_400),
    end_uncertainty_s=st.floats(0, 31_622_400),
    returns_count=st.integers(0, 1_000_000),
    boots_count=st.integers(0, 1_000_000),
)
failures = st.builds(Failure, kind=st.sampled_from(FailureKind), detail=words)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Any reading that the wire allows."""
    outcome = draw(st.sampled_from(Outcome))
    probe = draw(st.sampled_from(ProbeName))
    values = {} if outcome is Outcome.SKIPPED else draw(_values())
    return Reading(
        id=draw(uuid7s),
        epoch=draw(identifiers),
        seq=draw(st.integers(1, 2**53 - 1)),
        probe=probe,
        engine=draw(st.sampled_from(EngineName)),
        engine_version=draw(versions),
        target=draw(words),
        trigger=draw(st.sampled_from(Trigger)),
        started_at=draw(moments),
        started_monotonic_s=draw(durations),
        boot_id=draw(identifiers),
        duration_s=draw(durations),
        outcome=outcome,
        clock=draw(clocks),
        direction=draw(st.sampled_from(Direction)) if probe is ProbeName.THROUGHPUT else None,
        method=draw(st.none() | st.just("full_length/1")),
        slot=draw(st.none() | st.just("2026-11-23/2")),
        values=values,
        sample_counts={metric: draw(st.integers(0, 2**53 - 1)) for metric in values},
        intervals={metric: draw(_intervals()) for metric in list(values)[:2]},
        bytes_sent=draw(st.integers(0, 10**13)),
        bytes_received=draw(st.integers(0, 10**13)),
        failure=draw(failures) if outcome is Outcome.FAILED else None,
        skip=draw(st.sampled_from(SkipReason)) if outcome is Outcome.SKIPPED else None,
        stop_reason=draw(st.none() | st.sampled_from(StopReason)),
        loaded_rtt_engine=draw(st.none() | st.sampled_from(EngineName)),
        conditions=draw(conditions),
        origin=draw(st.sampled_from(Origin)),
        outage=draw(st.none() | outages) if probe is ProbeName.OUTAGE else None,
    )


columns = st.lists(readings(), min_size=1, max_size=4).map(
    lambda some: decode(Columns, pack([encode(reading) for reading in some]))
)
batches = st.builds(
    Batch,
    id=uuid7s,
    device_id=identifiers,
    agent_version=versions,
    sent_at=moments,
    sent_monotonic_s=durations,
    boot_id=identifiers,
    readings=columns.map(lambda each: msgspec.Raw(encode(each))),
)
receipts = st.builds(
    Receipt,
    batch_id=uuid7s,
    received_at=moments,
    fates=st.lists(
        st.builds(
            Fate,
            index=st.integers(0, 499),
            outcome=st.sampled_from(FateOutcome),
            field=st.none() | words,
            reason=st.none() | words,
        ),
        max_size=5,
    ),
    next_after_s=st.none() | st.floats(0, 86_400),
    assignment_version=st.integers(0, 10**9),
)
enrolment_requests = st.builds(
    EnrolmentRequest,
    code=st.from_regex(r"[a-z0-9]{6}\.[a-z0-9]{16}", fullmatch=True),
    public_key=st.binary(min_size=32, max_size=32),
    proof=st.binary(min_size=64, max_size=64),
    agent_version=versions,
    platform=st.sampled_from(Platform),
)
signed_assignments = st.builds(
    SignedAssignment, payload=st.binary(max_size=200), signature=st.binary(min_size=64, max_size=64)
)
tokens = st.text(string.ascii_letters + string.digits + "_", min_size=20, max_size=200)
enrolment_grants = st.builds(
    EnrolmentGrant,
    device_id=identifiers,
    token=tokens,
    school_name=words,
    collector_public_key=st.binary(min_size=32, max_size=32),
    assignment=signed_assignments,
    enrolled_at=moments,
)
school_hours = st.builds(
    SchoolHours,
    weekday=st.sampled_from(Weekday),
    opens_at=st.times(time(0), time(11)),
    closes_at=st.times(time(12), time(23, 59)),
)
date_ranges = st.builds(
    DateRange,
    first=st.dates(date(2020, 1, 1), date(2026, 1, 1)),
    last=st.dates(date(2026, 1, 1), date(2030, 1, 1)),
)
assignments = st.builds(
    Assignment,
    version=st.integers(1, 2**53 - 1),
    device_id=identifiers,
    issued_at=moments,
    time_zone=st.sampled_from(["Asia/Almaty", "Asia/Qostanay", "Europe/Berlin", "UTC", "America/Argentina/Ushuaia"]),
    school_hours=st.lists(school_hours, max_size=7),
    holiday_country=st.none() | st.just("KZ"),
    days_off=st.lists(date_ranges, max_size=3),
    working_days=st.lists(date_ranges, max_size=3),
    throughput_slots_count=st.integers(0, 24),
    latency_interval_s=st.floats(60, 86_400),
    path_interval_s=st.floats(60, 86_400),
    send_interval_s=st.floats(1, 86_400),
    month_budget_bytes=st.none() | st.integers(0, 10**15),
    targets=st.lists(
        st.builds(
            Target,
            probe=st.sampled_from(sorted(set(ProbeName) - {ProbeName.PLATFORM})),
            address=st.just("ws://measure.example:8081"),
        )
        | st.builds(
            Target,
            probe=st.just(ProbeName.PLATFORM),
            address=st.just("https://platform.example/"),
            name=st.none() | st.just("Platform"),
            expected_text=st.none() | st.just("a text of the page"),
        ),
        max_size=3,
    ),
    norm_mbps=maybe_mbps,
    contracted_download_mbps=maybe_mbps,
    contracted_upload_mbps=maybe_mbps,
    platform_interval_s=st.floats(3_600, 86_400),
    token_lifetime_s=st.none() | st.floats(0, 4e9),
    renewal_asked_at=st.none() | moments,
)
lease_answers = st.builds(
    LeaseAnswer, state=st.just(LeaseState.GRANTED), ends_after_s=st.floats(0, 300), lease_id=identifiers
) | st.builds(
    LeaseAnswer,
    state=st.just(LeaseState.OTHER_PROBER),
    ends_after_s=st.floats(0, 300),
    measured_before_s=st.none() | durations,
)
problems = st.builds(
    Problem, type=words, title=words, status=st.integers(400, 599), detail=words, advice=words, field=st.none() | words
)

EXAMPLES: dict[type[msgspec.Struct], st.SearchStrategy[msgspec.Struct]] = {
    Reading: readings(),
    Batch: batches,
    Columns: columns,
    Receipt: receipts,
    EnrolmentRequest: enrolment_requests,
    EnrolmentGrant: enrolment_grants,
    Assignment: assignments,
    SignedAssignment: signed_assignments,
    LeaseRequest: st.builds(LeaseRequest, for_s=st.floats(0.001, 300)),
    LeaseAnswer: lease_answers,
    TokenRequest: st.builds(
        TokenRequest, device_id=identifiers, asked_at=moments, nonce=st.binary(min_size=16, max_size=16)
    ),
    TokenGrant: st.builds(TokenGrant, device_id=identifiers, token=tokens, made_at=moments),
    Problem: problems,
}
"""A strategy for each type of `mektep_wire.schema.WIRE_TYPES`."""
