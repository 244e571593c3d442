"""Lesson readiness from readings: the newest day's values of one engine, with their n and time, and nothing stale."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from mektep_collector.config.lesson_needs import load_lesson_needs
from mektep_collector.config.platforms import Platform
from mektep_collector.journal.entry import Accepted
from mektep_collector.reports.build.learning import Learning
from mektep_collector.reports.build.lessons import LessonRow, build_lessons
from mektep_collector.reports.build.platforms import build_platforms
from mektep_collector.sla.lesson_readiness import Limit, Quantity
from mektep_wire import Direction, EngineName, FailureKind, Metric, ProbeName
from tests.support.invented_schools import MET, NOW, ZONE, Month

PLATFORM = "https://onlinemektep.example/"
NEEDS = load_lesson_needs(None)
LEARNING = Learning(
    platforms=(Platform(name="OnlineMektep", url=PLATFORM), Platform(name="Akelius", url="https://akelius.example/")),
    needs=NEEDS.activity,
    max_age_s=NEEDS.max_age_h * 3_600.0,
)
HOUR = timedelta(hours=1)


def lessons(readings: Sequence[Accepted], learning: Learning = LEARNING) -> Sequence[LessonRow]:
    in_order = sorted(readings, key=lambda accepted: accepted.at)
    return build_lessons(in_order, build_platforms(in_order, learning, ZONE), learning, NOW)


def good_day(month: Month, back: timedelta = timedelta(0)) -> list[Accepted]:
    made = [month.platform(NOW - back - HOUR, PLATFORM, 400.0)]
    for hours, speed in ((5, 18.0), (3, 24.0), (1, 21.0)):
        made += month.throughput(NOW - back - hours * HOUR, speed, speed / 3, FailureKind.TIMEOUT)
        made.append(month.latency(NOW - back - hours * HOUR, 30.0))
    return made


def test_the_count_rests_on_the_medians_of_the_newest_day_and_says_on_how_many() -> None:
    row = lessons(good_day(Month(MET, 1)))[0]
    assert row.need.name.en == "Watch an OnlineMektep lesson"
    assert row.line.download is not None
    assert (row.line.download.value, row.line.download.count) == (21.0, 3)
    assert row.line.download.at == NOW - HOUR
    assert row.line.loss is not None
    assert row.line.loss.count == 300
    assert (row.readiness.pupils_count, row.readiness.limit) == (21, Limit.DOWNLOAD)


def test_a_platform_that_was_not_looked_at_gives_no_count() -> None:
    row = lessons(good_day(Month(MET, 1)))[1]
    assert row.need.platform == "Akelius"
    assert row.readiness.pupils_count is None
    assert Quantity.PLATFORM in row.readiness.missing


def test_what_is_older_than_the_table_allows_says_nothing_of_today() -> None:
    row = lessons(good_day(Month(MET, 1), back=timedelta(days=4)))[0]
    assert row.readiness.pupils_count is None
    assert set(row.readiness.missing) == set(Quantity)


def test_values_of_another_engine_are_not_mixed_in() -> None:
    month = Month(MET, 1)
    other = month.reading(
        NOW - 2 * HOUR,
        ProbeName.THROUGHPUT,
        EngineName.LIBRESPEED,
        direction=Direction.DOWNLOAD,
        values={Metric.DOWNLOAD_THROUGHPUT_MBPS: 900.0},
    )
    row = lessons([*good_day(month), other])[0]
    assert row.line.download is not None
    assert (row.line.download.value, row.line.download.count) == (21.0, 3)


def test_a_platform_that_is_down_stops_the_lesson_whatever_the_line_carries() -> None:
    month = Month(MET, 1)
    down = month.platform(NOW - timedelta(minutes=2), PLATFORM, None, FailureKind.HTTP_SERVER_ERROR)
    row = lessons([*good_day(month), down])[0]
    assert (row.readiness.pupils_count, row.readiness.limit) == (0, Limit.PLATFORM)


def test_the_table_is_the_operators() -> None:
    doubled = [msgspec.structs.replace(need, download_mbps=2.0) for need in LEARNING.needs]
    row = lessons(good_day(Month(MET, 1)), msgspec.structs.replace(LEARNING, needs=doubled))[0]
    assert row.readiness.pupils_count == 10
    assert lessons(good_day(Month(MET, 1)), msgspec.structs.replace(LEARNING, needs=())) == []


@pytest.mark.parametrize("need", NEEDS.activity, ids=lambda need: need.platform)
def test_every_number_that_ships_has_its_source(need: object) -> None:
    source = getattr(need, "source", "")
    assert [word for word in ("Download:", "Upload:", "Round trip:", "Loss:") if word not in source] == []
