"""A report's figures, held against a plain reckoning of the same tests, and at the edges where little can be told."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import isnan
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.registry.records import Commitment, School, Technology
from mektep_collector.reports.build.period.build import Register, Terms, build_report
from mektep_collector.reports.build.period.document import ReportDocument, ReportScope, ScopeKind
from mektep_collector.reports.build.period.tests_by_column import Hours
from mektep_collector.sla.methods.method import Answer, Method
from mektep_collector.sla.percentile import percentile
from mektep_collector.sla.period import read_period
from mektep_collector.sla.shortfall import Shortfall
from mektep_wire import Metric, Origin, Outcome, SchoolHours, Weekday
from mektep_wire.school_calendar import SchoolCalendar, SchoolTime
from tests.support.memory_store import MemoryStore
from tests.support.school_device import SchoolDevice

ALMATY = ZoneInfo("Asia/Almaty")
OCTOBER = read_period("2026-10", {})
MADE_AT = datetime(2026, 11, 2, 4, tzinfo=UTC)
DEVICE = SchoolDevice()


class Download(NamedTuple):
    """One download of a school, on a day of October, in a local hour, with its speed; None: it failed."""

    school: int
    day: int
    hour: int
    mbps: float | None


def calendars() -> Mapping[str, SchoolCalendar]:
    hours = [SchoolHours(weekday=day, opens_at=time(8), closes_at=time(19)) for day in list(Weekday)[:5]]
    return {"Asia/Almaty": SchoolCalendar(SchoolTime(time_zone="Asia/Almaty", school_hours=hours), frozenset())}


def school(number: int, region: str = "KZ-61", pupils_count: int | None = 400, **facts: object) -> School:
    return School(
        id=f"{number:03}", name=f"School {number}", region=region, pupils_count=pupils_count,
        technology=Technology.FIBRE, **facts,  # type: ignore[arg-type]
    )  # fmt: skip


def contract(provider: str = "Provider A", mbps: float = 50.0, since: date = date(2026, 1, 1)) -> Commitment:
    return Commitment(provider=provider, download_mbps=mbps, upload_mbps=mbps, valid_from=since)


def accepted(test: Download, seq: int) -> Accepted:
    local = datetime(2026, 10, 1, test.hour, 30, tzinfo=ALMATY) + timedelta(days=test.day - 1)
    outcome = Outcome.FAILED if test.mbps is None else Outcome.OK
    reading = DEVICE.reading(6 * seq, local.astimezone(UTC), outcome=outcome)
    if test.mbps is not None:
        values = {Metric.DOWNLOAD_THROUGHPUT_MBPS: test.mbps}
        reading = msgspec.structs.replace(reading, values=values, sample_counts={}, intervals={})
    return Accepted(
        reading=reading, device_id=DEVICE.record.id, school_id=f"{test.school:03}", at=local.astimezone(UTC),
        time_method=TimeMethod.SAME_BOOT,
    )  # fmt: skip


def report(
    schools: Sequence[School],
    tests: Sequence[Download],
    contracts: Mapping[str, Sequence[Commitment]] | None = None,
    hours: Hours = Hours.SCHOOL,
    **facts: object,
) -> ReportDocument:
    store = MemoryStore(lambda _: ALMATY)
    if tests:
        everything = [accepted(test, seq) for seq, test in enumerate(tests, 1)]
        store.put([Entry(position=1, received_at=MADE_AT, accepted=everything)])
    register = Register(schools=schools, contracts=contracts or {}, **facts)  # type: ignore[arg-type]
    scope = ReportScope(kind=ScopeKind.NATION)
    terms = Terms(period=OCTOBER, scope=scope, hours=hours, made_at=MADE_AT, version="0.1.0")
    return build_report(register, store, calendars(), terms, lambda _step: None)


drawn = st.lists(
    st.builds(
        Download,
        school=st.integers(0, 7),
        day=st.integers(1, 31),
        hour=st.integers(6, 20),
        mbps=st.none() | st.sampled_from([0.5, 5.0, 16.0, 19.999, 20.0, 40.0, 49.9, 50.0, 120.0]),
    ),
    max_size=300,
)


def is_school(test: Download) -> bool:
    return date(2026, 10, test.day).weekday() < 5 and 8 <= test.hour < 19


@given(drawn, st.sampled_from(Hours))
def test_every_schools_figures_are_what_its_tests_say(tests: list[Download], hours: Hours) -> None:
    schools = [school(number) for number in range(8)]
    contracts = {"001": [contract(mbps=25.0), contract(mbps=50.0, since=date(2026, 10, 15))]}
    found = report(schools, tests, contracts, hours)
    for number, figures in enumerate(found.schools):
        own = [test for test in tests if test.school == number and (hours is Hours.ALL or is_school(test))]
        values = [test.mbps for test in own if test.mbps is not None]
        speeds = figures.download
        assert (speeds.ok_count, speeds.failed_count) == (len(values), len(own) - len(values))
        assert speeds.days_count == len({test.day for test in own if test.mbps is not None})
        assert figures.norm_met_count == sum(value >= 20.0 for value in values)
        assert figures.availability_ratio == (len(values) / len(own) if own else None)
        for value, ratio in ((speeds.median_mbps, 0.5), (speeds.p10_mbps, 0.1), (speeds.p90_mbps, 0.9)):
            assert value == (percentile(values, ratio) if values else None)
        (kept,) = figures.findings[Method.CONTRACT_SHARE].parts
        if number == 1:
            floors = [(test.mbps, 0.8 * (25.0 if test.day < 15 else 50.0)) for test in own if test.mbps is not None]
            assert (kept.good_count, kept.count) == (sum(mbps >= floor for mbps, floor in floors), len(floors))
        else:
            assert kept.count == 0


@given(drawn)
def test_the_order_of_schools_and_tests_does_not_matter(tests: list[Download]) -> None:
    schools = [school(number, region="KZ-61" if number % 2 else "KZ-10") for number in range(8)]
    one, other = report(schools, tests), report(schools[::-1], tests[::-1])
    assert {each.school_id: each for each in one.schools} == {each.school_id: each for each in other.schools}
    assert one.bands == other.bands
    assert one.ribbon == other.ribbon
    assert one.hours_of_week == other.hours_of_week
    assert one.distribution_mbps == other.distribution_mbps


@given(drawn, st.builds(Download, school=st.integers(0, 7), day=st.integers(1, 31), hour=st.just(10), mbps=st.none()))
def test_a_failed_test_more_never_raises_availability(tests: list[Download], failed: Download) -> None:
    schools = [school(number) for number in range(8)]
    before, after = report(schools, tests, hours=Hours.ALL), report(schools, [*tests, failed], hours=Hours.ALL)
    for one, other in zip(before.schools, after.schools, strict=True):
        if one.availability_ratio is not None:
            assert other.availability_ratio is not None
            assert other.availability_ratio <= one.availability_ratio


@given(drawn)
def test_no_figure_is_not_a_number(tests: list[Download]) -> None:
    found = report([school(number) for number in range(8)], tests)
    assert "NaN" not in msgspec.json.encode(found).decode()
    assert "null" in msgspec.json.encode(found).decode()
    assert all(not isnan(value) for value in found.distribution_mbps)


def many(school_number: int, mbps: float, count: int = 40) -> list[Download]:
    weekdays = [day for day in range(1, 32) if date(2026, 10, day).weekday() < 5]
    return [Download(school_number, weekdays[n % len(weekdays)], 9 + n // len(weekdays), mbps) for n in range(count)]


def test_a_region_of_four_schools_is_not_told_and_one_of_five_is() -> None:
    schools = [school(number, region="KZ-61" if number < 4 else "KZ-10") for number in range(9)]
    found = report(schools, [test for number in range(9) for test in many(number, 25.0 if number % 2 else 15.0)])
    abai, turkistan = found.regions
    assert (turkistan.key, turkistan.schools_count, turkistan.is_told, turkistan.median_mbps) == (
        "KZ-61",
        4,
        False,
        None,
    )
    assert (abai.key, abai.schools_count, abai.is_told) == ("KZ-10", 5, True)
    assert (abai.met_count, abai.judged_count, abai.median_mbps) == (2, 5, 15.0)
    assert abai.met_ratio == pytest.approx(0.4)
    assert abai.met_interval is not None
    assert abai.median_interval is not None


def test_who_can_mend_what_is_counted_by_provider() -> None:
    schools = [school(number) for number in range(5)]
    contracts = {each.id: [contract(mbps=8.0 if place < 2 else 50.0)] for place, each in enumerate(schools)}
    tests = [test for number, mbps in enumerate((7.9, 7.9, 10.0, 30.0, 60.0)) for test in many(number, mbps)]
    (row,) = report(schools, tests, contracts).providers
    assert row.shortfalls == {
        Shortfall.CONTRACT_BELOW_NORM: 2,
        Shortfall.PROVIDER_BELOW_CONTRACT: 1,
        Shortfall.NONE: 2,
    }


def test_a_school_without_pupils_or_contract_is_held_to_the_least_norm_and_to_no_contract() -> None:
    found = report([school(1, pupils_count=None)], many(1, 19.0))
    (figures,) = found.schools
    assert figures.norm.mbps == 20.0
    assert figures.findings[Method.CONTRACT_SHARE].answer is Answer.NOT_APPLICABLE
    assert figures.shortfall is Shortfall.NO_CONTRACT


def test_an_empty_report_says_so_with_counts() -> None:
    for schools in ([], [school(1)]):
        found = report(schools, [])
        assert (found.whole.schools_count, found.whole.tests_count) == (len(schools), 0)
        assert not found.whole.is_told
        assert found.before is None
        assert found.bands.unjudged_count == len(schools)


def test_all_failed_is_no_speed_and_no_availability() -> None:
    (figures,) = report([school(1)], [Download(1, 5, 10, None)] * 3).schools
    assert (figures.download.median_mbps, figures.download.failed_count, figures.availability_ratio) == (None, 3, 0.0)


def test_what_changed_is_told_beside_the_month_before() -> None:
    schools = [school(number) for number in range(5)]
    september = [Download(number, day, 10, 10.0) for number in range(5) for day in range(-22, -2)]
    found = report(schools, [*september, *(test for number in range(5) for test in many(number, 30.0))])
    assert found.before is not None
    assert found.before.median_mbps == 10.0
    assert found.whole.median_mbps == 30.0


def test_simulated_schools_are_marked() -> None:
    found = report([school(1), school(2)], [], simulated=frozenset({"002"}))
    assert [each.origin for each in found.schools] == [Origin.MEASURED, Origin.SIMULATED]


def test_the_same_data_have_the_same_hash_and_other_data_another() -> None:
    schools = [school(1)]
    assert report(schools, many(1, 20.0)).data_hash == report(schools, many(1, 20.0)[::-1]).data_hash
    assert report(schools, many(1, 20.0)).data_hash != report(schools, many(1, 20.1)).data_hash
