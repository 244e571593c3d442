"""A school's platforms: what each look shows beside what else was seen of the line, and the shares that follow."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from mektep_collector.config.platforms import Platform
from mektep_collector.journal.entry import Accepted
from mektep_collector.reports.build.learning import Learning
from mektep_collector.reports.build.line_signs import signs_of
from mektep_collector.reports.build.platforms import PlatformRow, build_platforms
from mektep_collector.sla.platform import Bearing, Health, PlatformState
from mektep_wire import (
    Direction,
    EngineName,
    Failure,
    FailureKind,
    Metric,
    Outage,
    OutageCause,
    Outcome,
    ProbeName,
    SkipReason,
)
from tests.support.invented_schools import MET, NOW, ZONE, Month

KUNDELIK, AKELIUS = "https://kundelik.example/", "https://akelius.example/"
LEARNING = Learning(
    platforms=(Platform(name="Kundelik", url=KUNDELIK), Platform(name="Akelius", url=AKELIUS)), slow_after_ms=2_000.0
)
MINUTE = timedelta(minutes=1)


def rows(readings: Sequence[Accepted]) -> dict[str, PlatformRow]:
    in_order = sorted(readings, key=lambda accepted: accepted.at)
    return {row.name: row for row in build_platforms(in_order, LEARNING, ZONE)}


def test_one_platform_down_while_another_is_reached_is_that_platforms_fault() -> None:
    month = Month(MET, 1)
    found = rows([month.platform(NOW - 2 * MINUTE, KUNDELIK, None), month.platform(NOW - MINUTE, AKELIUS, 400.0)])
    assert found["Kundelik"].last is not None
    assert found["Kundelik"].last.state is PlatformState.PLATFORM_DOWN
    assert found["Kundelik"].last.failure is FailureKind.CONNECT_TIMEOUT
    assert found["Kundelik"].last_good is None
    assert found["Akelius"].last is not None
    assert found["Akelius"].last.state is PlatformState.REACHABLE
    assert found["Akelius"].last.total_ms == pytest.approx(400.0)


def test_all_platforms_down_while_the_line_is_down_blames_none() -> None:
    month = Month(MET, 1)
    found = rows(
        [
            month.platform(NOW - 2 * MINUTE, KUNDELIK, None),
            month.platform(NOW - MINUTE, AKELIUS, None),
            month.latency(NOW - 9 * MINUTE, None),
        ]
    )
    states = [row.last.state for row in found.values() if row.last is not None]
    assert states == [PlatformState.INTERNET_DOWN] * 2
    assert found["Kundelik"].availability.platform_ratio is None
    assert found["Kundelik"].availability.ratio == 0.0


def test_all_platforms_down_while_the_line_is_up_are_down_themselves() -> None:
    month = Month(MET, 1)
    found = rows([month.platform(NOW - 2 * MINUTE, KUNDELIK, None), month.latency(NOW - 9 * MINUTE, 20.0)])
    assert found["Kundelik"].last is not None
    assert found["Kundelik"].last.state is PlatformState.PLATFORM_DOWN


def test_a_platform_of_the_list_that_nobody_looked_at_stands_there_without_a_state() -> None:
    found = rows([])
    assert list(found) == ["Kundelik", "Akelius"]
    assert found["Akelius"].last is None
    assert found["Akelius"].availability.judged_count == 0
    assert found["Akelius"].days == []


def test_a_platform_that_left_the_list_keeps_its_row_under_its_host() -> None:
    found = rows([Month(MET, 1).platform(NOW - MINUTE, "https://bilimclass.example/", 300.0)])
    assert list(found) == ["Kundelik", "Akelius", "bilimclass.example"]


def test_days_are_the_schools_own_and_a_run_that_was_not_made_is_in_none() -> None:
    month = Month(MET, 1)
    late = NOW.replace(hour=19, minute=30) - timedelta(days=1)  # 00:30 of the next day in Almaty
    skipped = month.reading(
        NOW,
        ProbeName.PLATFORM,
        EngineName.HTTP,
        target="platforms",
        outcome=Outcome.SKIPPED,
        skip=SkipReason.DATA_BUDGET,
    )
    found = rows(
        [
            month.platform(late - 60 * MINUTE, KUNDELIK, 100.0),
            month.platform(late, KUNDELIK, 2_100.0),
            month.platform(NOW - MINUTE, KUNDELIK, 100.0),
            skipped,
        ]
    )
    assert [day.day for day in found["Kundelik"].days] == ["2026-11-22", "2026-11-23"]
    today = found["Kundelik"].days[1].availability
    assert (today.reachable_count, today.slow_count) == (1, 1)
    assert found["Kundelik"].availability.judged_count == 3
    assert list(found) == ["Kundelik", "Akelius"]


def failed(probe: ProbeName, engine: EngineName, kind: FailureKind, **facts: object) -> Accepted:
    why: dict[str, object] = {"outcome": Outcome.FAILED, "failure": Failure(kind=kind)}
    return Month(MET, 1).reading(NOW, probe, engine, **(why | facts))


@pytest.mark.parametrize(
    ("accepted", "told"),
    [
        (Month(MET, 1).latency(NOW, 20.0), (Bearing.LINE, Health.UP)),
        (Month(MET, 1).latency(NOW, None), (Bearing.LINE, Health.DOWN)),
        (failed(ProbeName.LATENCY, EngineName.UDP_ECHO, FailureKind.DNS_TIMEOUT), (Bearing.NAMES, Health.DOWN)),
        (failed(ProbeName.LATENCY, EngineName.UDP_ECHO, FailureKind.INTERRUPTED), None),
        (
            failed(
                ProbeName.THROUGHPUT,
                EngineName.NDT7,
                FailureKind.HANDSHAKE_REFUSED,
                direction=Direction.DOWNLOAD,
            ),
            (Bearing.LINE, Health.UP),
        ),
        (
            Month(MET, 1).reading(NOW, ProbeName.PATH, EngineName.DNS, target="dns://measure.example"),
            (Bearing.NAMES, Health.UP),
        ),
        (Month(MET, 1).reading(NOW, ProbeName.PATH, EngineName.DNS, target="dns://192.0.2.1"), None),
        (failed(ProbeName.PATH, EngineName.ICMP, FailureKind.GATEWAY_UNREACHABLE, target="gateway"), None),
        (Month(MET, 1).platform(NOW, KUNDELIK, None), None),
    ],
    ids=["echo", "no echo", "no name", "interrupted", "busy server", "a name", "an address", "gateway", "platform"],
)
def test_what_a_reading_says_of_the_line(accepted: Accepted, told: tuple[Bearing, Health] | None) -> None:
    assert [(sign.bearing, sign.health) for sign in signs_of([accepted])] == ([] if told is None else [told])


@pytest.mark.parametrize(
    ("cause", "state"),
    [
        (OutageCause.PROVIDER, PlatformState.INTERNET_DOWN),
        (OutageCause.LAN, PlatformState.INTERNET_DOWN),
        (OutageCause.SERVICE, PlatformState.PLATFORM_DOWN),
        (OutageCause.POWER, PlatformState.UNKNOWN),
    ],
)
def test_an_outage_speaks_for_as_long_as_it_lasts(cause: OutageCause, state: PlatformState) -> None:
    month = Month(MET, 1)
    outage = month.reading(
        NOW - 200 * MINUTE,
        ProbeName.OUTAGE,
        EngineName.HEARTBEAT,
        outcome=Outcome.FAILED,
        failure=Failure(kind=FailureKind.NO_ANSWER),
        values={Metric.OUTAGE_DURATION_S: 150 * 60.0},
        outage=Outage(cause=cause),
    )
    found = rows([outage, month.platform(NOW - 100 * MINUTE, KUNDELIK, None)])
    assert found["Kundelik"].last is not None
    assert found["Kundelik"].last.state is state
