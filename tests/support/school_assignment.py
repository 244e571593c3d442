"""Assignments of an example school, for tests of the schedule."""

from datetime import UTC, date, datetime, time

import msgspec

from mektep_wire import Assignment, DateRange, ProbeName, SchoolHours, Target, Weekday

DEVICE_ID = "33333333-3333-4333-8333-333333333333"
OTHER_DEVICE_ID = "44444444-4444-4444-8444-444444444444"
WEEK = tuple(Weekday)[:5]
HOLIDAYS_2026 = frozenset(
    date.fromisoformat(f"2026-{day}")
    for day in (
        *("01-01", "01-02", "01-07", "03-08", "03-09", "03-21", "03-22", "03-23", "03-24", "03-25", "05-01", "05-07"),
        *("05-09", "05-11", "05-27", "07-06", "10-25", "10-26", "12-16"),
    )
)
"""Kazakhstan's, as the `holidays` library computes them."""


def school(
    time_zone: str = "Asia/Almaty",
    opens_at: time = time(8),
    closes_at: time = time(19),
    **changes: object,
) -> Assignment:
    """Return an assignment with hours from Monday to Friday."""
    assignment = Assignment(
        version=1,
        device_id=DEVICE_ID,
        issued_at=datetime(2026, 1, 1, tzinfo=UTC),
        time_zone=time_zone,
        school_hours=[SchoolHours(weekday=weekday, opens_at=opens_at, closes_at=closes_at) for weekday in WEEK],
        holiday_country="KZ",
        days_off=[DateRange(first=date(2026, 5, 26), last=date(2026, 8, 31))],
        working_days=[],
        throughput_slots_count=4,
        latency_interval_s=900.0,
        path_interval_s=3_600.0,
        send_interval_s=900.0,
        month_budget_bytes=None,
        targets=[Target(probe=ProbeName.THROUGHPUT, address="ws://measure.example:8081")],
        norm_mbps=None,
        contracted_download_mbps=None,
        contracted_upload_mbps=None,
    )
    return msgspec.structs.replace(assignment, **changes)
