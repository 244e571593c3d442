"""How many pupils could work at once: from the table and the measurements alone, and never without them."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.config.lesson_needs import LessonNeed, Names
from mektep_collector.sla.lesson_readiness import (
    Limit,
    LineState,
    Measured,
    Quantity,
    least_loss_probes_count,
    readiness,
)
from mektep_collector.sla.platform import PlatformState

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LESSON = LessonNeed(
    platform="OnlineMektep",
    name=Names(kk="Сабақ", ru="Урок", en="Lesson"),
    download_mbps=1.0,
    upload_mbps=0.05,
    max_rtt_ms=1_000.0,
    max_loss_ratio=0.01,
    source="stated for this test",
)


def of(value: float, count: int = 4) -> Measured:
    return Measured(value=value, count=count, at=AT)


GOOD = LineState(
    download=of(26.4), upload=of(8.0), rtt=of(40.0), loss=of(0.0, 800), state=PlatformState.REACHABLE, state_at=AT
)


def test_the_line_holds_as_many_pupils_as_its_speed_holds_of_the_need() -> None:
    found = readiness(LESSON, GOOD)
    assert (found.pupils_count, found.limit, found.missing) == (26, Limit.DOWNLOAD, ())


def test_the_upload_limits_where_it_holds_fewer() -> None:
    found = readiness(LESSON, msgspec.structs.replace(GOOD, upload=of(0.99)))
    assert (found.pupils_count, found.limit) == (19, Limit.UPLOAD)


def test_a_speed_that_holds_a_whole_count_of_pupils_holds_them_all() -> None:
    need = msgspec.structs.replace(LESSON, download_mbps=0.1)
    assert readiness(need, msgspec.structs.replace(GOOD, download=of(0.3))).pupils_count == 3


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        ({"state": PlatformState.PLATFORM_DOWN}, Limit.PLATFORM),
        ({"state": PlatformState.INTERNET_DOWN}, Limit.INTERNET),
        ({"rtt": of(1_001.0)}, Limit.LATENCY),
        ({"loss": of(0.011, 800)}, Limit.LOSS),
        ({"download": of(0.9)}, Limit.DOWNLOAD),
    ],
)
def test_nobody_can_work_and_what_stops_them_is_named(change: dict[str, object], limit: Limit) -> None:
    found = readiness(LESSON, msgspec.structs.replace(GOOD, **change))
    assert (found.pupils_count, found.limit) == (0, limit)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"download": None}, Quantity.DOWNLOAD),
        ({"upload": None}, Quantity.UPLOAD),
        ({"rtt": None}, Quantity.LATENCY),
        ({"state": PlatformState.UNKNOWN}, Quantity.PLATFORM),
    ],
)
def test_without_a_measurement_there_is_no_count_and_what_is_missing_is_named(
    change: dict[str, object], missing: Quantity
) -> None:
    found = readiness(LESSON, msgspec.structs.replace(GOOD, **change))
    assert (found.pupils_count, found.limit, found.missing) == (None, Limit.NOT_MEASURED, (missing,))


def test_a_line_whose_loss_cannot_be_seen_is_counted_and_says_so() -> None:
    for loss in (None, of(1.0, least_loss_probes_count(LESSON) - 1)):
        found = readiness(LESSON, msgspec.structs.replace(GOOD, loss=loss))
        assert (found.pupils_count, found.missing) == (26, (Quantity.LOSS,))
    assert least_loss_probes_count(LESSON) == 300


def test_a_slow_platform_still_serves() -> None:
    assert readiness(LESSON, msgspec.structs.replace(GOOD, state=PlatformState.SLOW)).pupils_count == 26


speeds = st.floats(0, 1_000)


@given(speeds, speeds, speeds)
def test_more_speed_never_holds_fewer_pupils_and_the_need_of_all_fits_the_line(
    download: float, upload: float, more: float
) -> None:
    found = readiness(LESSON, msgspec.structs.replace(GOOD, download=of(download), upload=of(upload)))
    faster = readiness(LESSON, msgspec.structs.replace(GOOD, download=of(download + more), upload=of(upload + more)))
    assert found.pupils_count is not None
    assert faster.pupils_count is not None
    assert faster.pupils_count >= found.pupils_count
    assert found.pupils_count * LESSON.download_mbps <= download + 1e-6
    assert found.pupils_count * LESSON.upload_mbps <= upload + 1e-6
