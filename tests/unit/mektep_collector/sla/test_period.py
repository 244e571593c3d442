from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.period import PeriodError, PeriodKind, read_period
from mektep_wire import DateRange

TERMS = {"2026-27/1": DateRange(first=date(2026, 9, 1), last=date(2026, 10, 25))}
ALMATY = ZoneInfo("Asia/Almaty")


@pytest.mark.parametrize(
    ("text", "kind", "first", "last"),
    [
        ("2026-10", PeriodKind.MONTH, date(2026, 10, 1), date(2026, 10, 31)),
        ("2028-02", PeriodKind.MONTH, date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-Q4", PeriodKind.QUARTER, date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-27/1", PeriodKind.TERM, date(2026, 9, 1), date(2026, 10, 25)),
        ("2028-02-29/2028-02-29", PeriodKind.DAYS, date(2028, 2, 29), date(2028, 2, 29)),
    ],
)
def test_a_period_as_people_write_it(text: str, kind: PeriodKind, first: date, last: date) -> None:
    found = read_period(text, TERMS)
    assert (found.kind, found.name, found.first, found.last) == (kind, text, first, last)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-13", "no month"),
        ("2026-Q5", "write a month as"),
        ("october", "write a month as"),
        ("2027-02-29/2027-03-01", "day"),
        ("2026-10-05/2026-10-04", "ends before it begins"),
        ("2020-01-01/2026-01-01", "1100 at most"),
        ("2026-27/2", "not set; set in `terms` of the configuration: 2026-27/1"),
    ],
)
def test_what_is_none_is_said_to_be_none_and_how_to_write_one(text: str, says: str) -> None:
    with pytest.raises(PeriodError, match=says):
        read_period(text, TERMS)


def test_days_begin_and_end_by_the_schools_own_clock_of_that_day() -> None:
    # until 1 March 2024 Almaty was six hours before UTC, since then five: that February ends an hour late
    february = read_period("2024-02", {})
    assert february.since(ALMATY) == datetime(2024, 1, 31, 18, tzinfo=UTC)
    assert february.until(ALMATY) == datetime(2024, 2, 29, 19, tzinfo=UTC)
    assert read_period("2024-03", {}).since(ALMATY) == datetime(2024, 2, 29, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("2026-01", "2025-12"),
        ("2026-Q1", "2025-Q4"),
        ("2026-10-05/2026-10-11", "2026-09-28/2026-10-04"),
        ("2026-27/1", "2026-07-08/2026-08-31"),
    ],
)
def test_a_period_is_compared_with_the_one_before(text: str, before: str) -> None:
    assert read_period(text, TERMS).before().name == before


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400))
def test_the_period_before_ends_where_this_one_begins(first: date, more_days: int) -> None:
    period = read_period(f"{first}/{first + timedelta(days=more_days)}", {})
    assert period.before().last + timedelta(days=1) == period.first
    assert period.before().days_count == period.days_count
    assert period.before().until(ALMATY) == period.since(ALMATY)
