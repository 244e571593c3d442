"""What every Store promises, held against answers computed naively from the same entries."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.sla.percentile import percentile
from mektep_collector.store.embedded import EmbeddedStore
from mektep_collector.store.influx import Address, InfluxStore
from mektep_collector.store.planned import AUDITED, PLANS, belongs
from mektep_collector.store.run_columns import columns_of, run_columns
from mektep_collector.store.store import AuditTrace, DaySummary, Period, Store, Trace
from mektep_wire import Direction, EngineName, FailureKind, Metric, Outcome, ProbeName, Reading, SkipReason
from tests.support.closing_store import ClosingStore
from tests.support.school_device import NOON, SchoolDevice
from tests.support.wire_examples import readings

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ZONES = {"almaty": ZoneInfo("Asia/Almaty"), "chatham": ZoneInfo("Pacific/Chatham"), "0007": ZoneInfo("Asia/Almaty")}
ALL = Period(NOON - 1000 * DAY, NOON + 1000 * DAY)
DEVICE = SchoolDevice()

OpenStore = Callable[[Path], Store]
_DATABASES_COUNT = 4


def _zone_of(school_id: str) -> ZoneInfo:
    return ZONES[school_id]


def _in_influxdb(port: int) -> OpenStore:
    """Return what opens a store in a database of its own, named by the directory.

    A server with hundreds of databases grows slow, and no test asks for more than its last two.
    """
    url = f"http://127.0.0.1:{port}"
    names: list[str] = []

    def opened(path: Path) -> Store:
        name = path.as_posix().replace("/", "_")
        if name not in names:
            names.append(name)
        if len(names) > _DATABASES_COUNT:
            httpx.post(f"{url}/query", params={"q": f'DROP DATABASE "{names.pop(0)}"'}, timeout=30)
        return InfluxStore(Address(url=url, database=name), path, _zone_of)

    return opened


@pytest.fixture(params=["embedded", "embedded, days closed", pytest.param("influxdb", marks=pytest.mark.peer)])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """Return how a test opens one implementation in a directory."""
    if request.param == "influxdb":
        return _in_influxdb(request.getfixturevalue("influxd").port)
    of_files = {"embedded": EmbeddedStore, "embedded, days closed": ClosingStore}[request.param]
    return lambda path: of_files(path, _zone_of)


@pytest.fixture
def store(open_store: OpenStore, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store")
    yield opened
    opened.close()


def _accepted(
    reading: Reading,
    at: datetime = NOON,
    school_id: str = "almaty",
    time_method: TimeMethod = TimeMethod.SAME_BOOT,
    device_id: str = DEVICE.record.id,
) -> Accepted:
    return Accepted(reading=reading, device_id=device_id, school_id=school_id, at=at, time_method=time_method)


def _entries(batches: Sequence[Sequence[Accepted]], first: int = 1) -> list[Entry]:
    return [Entry(position=first + n, received_at=NOON, accepted=each) for n, each in enumerate(batches)]


def _download(seq: int, mbps: float | None, at: datetime, school_id: str = "almaty") -> Accepted:
    outcome = Outcome.FAILED if mbps is None else Outcome.OK
    reading = DEVICE.reading(6 * seq, at, outcome=outcome)
    if mbps is not None:
        values = {**reading.values, Metric.DOWNLOAD_THROUGHPUT_MBPS: mbps}
        reading = msgspec.structs.replace(reading, values=values)
    return _accepted(reading, at, school_id)


# Each drawn time lies within a few days, some of them equal, so that days, orders and ties all occur.
moments = st.integers(-400, 400).map(lambda steps: NOON + steps * timedelta(minutes=17))
accepted = st.builds(
    _accepted,
    reading=readings(),
    at=moments,
    school_id=st.sampled_from(["almaty", "chatham"]),
    time_method=st.sampled_from(TimeMethod),
)


def _each_once(batches: list[list[Accepted]]) -> list[list[Accepted]]:
    """Leave out what came before, as the journal does: a device's number is given once in an epoch."""
    seen: set[tuple[str, int]] = set()
    found = []
    for batch in batches:
        fresh = {(each.reading.epoch, each.reading.seq): each for each in batch}
        found.append([each for key, each in fresh.items() if key not in seen])
        seen |= fresh.keys()
    return [batch for batch in found if batch]


journals = st.lists(st.lists(accepted, min_size=1, max_size=6), max_size=8).map(_each_once)


def _order(entries: Sequence[Entry]) -> list[Accepted]:
    """Return all that is in statistics, by time and then as it came."""
    everything = [each for entry in entries for each in entry.accepted]
    return sorted(
        (each for each in everything if each.time_method is not TimeMethod.QUARANTINED), key=lambda each: each.at
    )


def _naive_series(entries: Sequence[Entry], school_id: str, metric: Metric, period: Period) -> list[Trace]:
    traces = [
        Trace(
            at=each.at,
            device_id=each.device_id,
            engine=each.reading.engine,
            outcome=each.reading.outcome,
            origin=each.reading.origin,
            value=each.reading.values[metric] if each.reading.outcome is Outcome.OK else None,
            failure=each.reading.failure.kind if each.reading.failure else None,
            skip=each.reading.skip,
        )
        for each in _order(entries)
        if each.school_id == school_id and period.since <= each.at < period.until and belongs(each.reading, metric)
    ]
    return _naive_main(traces, strict=any(plan.probe is ProbeName.THROUGHPUT for plan in PLANS[metric]))


def _naive_main(traces: list[Trace], strict: bool) -> list[Trace]:
    """Keep the values of one engine: that with most of them or else most runs, the vocabulary's first if equal."""
    values = [trace.engine for trace in traces if trace.value is not None]
    counted = values or ([trace.engine for trace in traces] if strict else [])
    if not counted:
        return traces
    main = max(EngineName, key=counted.count)
    return [trace for trace in traces if trace.engine is main or (trace.value is None and not strict)]


def _naive_days(entries: Sequence[Entry], metric: Metric, period: Period) -> list[DaySummary]:
    found = []
    for school_id in ("almaty", "chatham"):
        traces = _naive_series(entries, school_id, metric, period)
        for day, members in groupby(traces, lambda trace: trace.at.astimezone(ZONES[school_id]).date().isoformat()):  # noqa: B023 (read at once)
            runs = list(members)
            values = [run.value for run in runs if run.value is not None]
            found.append(
                DaySummary(
                    school_id=school_id,
                    day=day,
                    ok_count=sum(run.outcome is Outcome.OK for run in runs),
                    failed_count=sum(run.outcome is Outcome.FAILED for run in runs),
                    skipped_count=sum(run.outcome is Outcome.SKIPPED for run in runs),
                    median=percentile(values, 0.5) if values else None,
                    p10=percentile(values, 0.1) if values else None,
                    p90=percentile(values, 0.9) if values else None,
                )
            )
    return found


def _naive_audits(entries: Sequence[Entry], period: Period, school_ids: Sequence[str]) -> list[AuditTrace]:
    found = []
    for school_id in sorted(school_ids):
        for each in _order(entries):
            reading = each.reading
            if reading.direction is None or reading.outcome is not Outcome.OK:
                continue
            shortened, full_length = AUDITED[reading.direction]
            is_asked_for = each.school_id == school_id and period.since <= each.at < period.until
            if is_asked_for and {shortened, full_length} <= reading.values.keys():
                found.append(
                    AuditTrace(
                        at=each.at,
                        school_id=school_id,
                        device_id=each.device_id,
                        direction=reading.direction,
                        engine=reading.engine,
                        shortened_mbps=reading.values[shortened],
                        full_length_mbps=reading.values[full_length],
                    )
                )
    return found


def _kind(each: Accepted) -> tuple[str, ProbeName, Direction | None]:
    return each.school_id, each.reading.probe, each.reading.direction


def _newest(entries: Sequence[Entry]) -> dict[tuple[str, ProbeName, Direction | None], list[Accepted]]:
    """Return the newest of each kind: several where they were made in the same microsecond."""
    found: dict[tuple[str, ProbeName, Direction | None], list[Accepted]] = {}
    for each in _order(entries):
        others = found.setdefault(_kind(each), [])
        found[_kind(each)] = [other for other in others if other.at == each.at] + [each]
    return found


@given(
    batches=journals,
    metrics=st.lists(st.sampled_from(Metric), min_size=1, max_size=3),
    probe=st.none() | st.sampled_from(ProbeName),
    bounds=st.tuples(moments, moments).map(sorted),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_answer_is_what_the_entries_say(
    open_store: OpenStore,
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[Accepted]],
    metrics: list[Metric],
    probe: ProbeName | None,
    bounds: list[datetime],
) -> None:
    entries = _entries(batches)
    period = Period(*bounds)
    store = open_store(tmp_path_factory.mktemp("store"))
    try:
        store.put(entries[: len(entries) // 2])
        store.put(entries[len(entries) // 2 :])
        assert store.position() == len(entries)
        assert store.count() == sum(len(entry.accepted) for entry in entries)
        assert store.count_quarantined() == store.count() - len(_order(entries))
        for school_id in ("almaty", "chatham"):
            assert list(store.readings(school_id, period, probe)) == [
                each
                for each in _order(entries)
                if each.school_id == school_id
                and period.since <= each.at < period.until
                and probe in (None, each.reading.probe)
            ]
            for metric in metrics:
                expected = _naive_series(entries, school_id, metric, period)
                assert list(store.series(school_id, metric, period)) == expected
        for metric in metrics:
            assert list(store.days(metric, period)) == _naive_days(entries, metric, period)
        assert list(store.audits(period)) == _naive_audits(entries, period, ["almaty", "chatham"])
        assert list(store.audits(period, ["chatham"])) == _naive_audits(entries, period, ["chatham"])
        newest, latest = _newest(entries), store.latest()
        assert sorted(map(str, map(_kind, latest))) == sorted(map(str, newest))
        assert all(each in newest[_kind(each)] for each in latest)
    finally:
        store.close()


@given(batches=journals, metric=st.sampled_from(Metric), bounds=st.tuples(moments, moments, moments).map(sorted))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
def test_runs_by_column_are_those_of_the_schools_series_each_in_its_own_period(
    open_store: OpenStore,
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[Accepted]],
    metric: Metric,
    bounds: list[datetime],
) -> None:
    entries = _entries(batches)
    first, second, third = bounds
    periods = {"chatham": Period(first, third), "0007": Period(first, second), "almaty": Period(second, third)}
    store = open_store(tmp_path_factory.mktemp("store"))
    try:
        store.put(entries)
        found = run_columns(store, metric, periods)
        expected = columns_of([_naive_series(entries, each, metric, periods[each]) for each in periods], list(periods))
        assert found.school_ids == expected.school_ids
        for name in ("school", "at_us", "outcome", "value"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)
            assert getattr(found, name).dtype == getattr(expected, name).dtype
    finally:
        store.close()


@given(batches=journals, data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=15)
def test_a_store_fed_again_from_anywhere_is_equal_to_one_fed_once(
    open_store: OpenStore, tmp_path_factory: pytest.TempPathFactory, batches: list[list[Accepted]], data: st.DataObject
) -> None:
    entries = _entries(batches)
    once = open_store(tmp_path_factory.mktemp("once"))
    directory = tmp_path_factory.mktemp("again")
    again = open_store(directory)
    try:
        once.put(entries)
        reached = 0
        while reached < len(entries):
            since = data.draw(st.integers(0, reached))
            until = data.draw(st.integers(reached + 1, len(entries)))
            again.put(entries[since:until])
            reached = until
            if data.draw(st.booleans()):
                again.close()
                again = open_store(directory)
            assert again.position() == reached
        again.put(entries)
        for answers in (Store.count, Store.count_quarantined, Store.position, Store.latest):
            assert answers(again) == answers(once)
        for school_id in ("almaty", "chatham"):
            assert again.readings(school_id, ALL) == once.readings(school_id, ALL)
    finally:
        once.close()
        again.close()


def test_an_empty_store_answers_with_nothing(store: Store) -> None:
    assert (store.position(), store.count(), store.count_quarantined()) == (0, 0, 0)
    assert list(store.latest()) == []
    assert list(store.readings("almaty", ALL)) == []
    assert list(store.series("almaty", Metric.IDLE_RTT_MS, ALL)) == []
    assert list(store.days(Metric.IDLE_RTT_MS, ALL)) == []
    assert list(store.audits(ALL)) == []
    store.put([])
    assert store.position() == 0


def test_a_failed_download_is_in_the_series_of_downloads_without_a_value_and_in_no_other(store: Store) -> None:
    store.put(_entries([[_download(1, 20.0, NOON - HOUR), _download(2, None, NOON)]]))
    good, failed = store.series("almaty", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)
    assert (good.value, good.failure) == (20.0, None)
    assert (failed.value, failed.outcome, failed.failure) == (None, Outcome.FAILED, FailureKind.CONNECT_TIMEOUT)
    assert list(store.series("almaty", Metric.UPLOAD_THROUGHPUT_MBPS, ALL)) == []
    assert list(store.series("almaty", Metric.IDLE_RTT_MS, ALL)) == []
    (day,) = store.days(Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)
    assert (day.ok_count, day.failed_count, day.median) == (1, 1, 20.0)


def test_what_a_failed_run_measured_before_it_failed_is_no_value(store: Store) -> None:
    failed = _download(1, None, NOON)
    values = {Metric.DOWNLOAD_THROUGHPUT_MBPS: 0.5}
    store.put(
        _entries([[msgspec.structs.replace(failed, reading=msgspec.structs.replace(failed.reading, values=values))]])
    )
    (trace,) = store.series("almaty", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)
    assert (trace.outcome, trace.value) == (Outcome.FAILED, None)
    (day,) = store.days(Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)
    assert (day.ok_count, day.failed_count, day.median) == (0, 1, None)


def test_a_skipped_run_says_why_and_counts_apart(store: Store) -> None:
    reading = msgspec.structs.replace(
        DEVICE.reading(6, NOON), outcome=Outcome.SKIPPED, skip=SkipReason.BUSY_LINK, values={}, sample_counts={}
    )
    store.put(_entries([[_accepted(reading)]]))
    (trace,) = store.series("almaty", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)
    assert (trace.value, trace.skip, trace.failure) == (None, SkipReason.BUSY_LINK, None)
    (day,) = store.days(Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)
    assert (day.ok_count, day.failed_count, day.skipped_count, day.median) == (0, 0, 1, None)


def test_days_are_the_schools_own_with_order_statistics_that_can_be_checked_by_hand(store: Store) -> None:
    midnight = datetime(2026, 11, 23, 0, 0, tzinfo=ZONES["almaty"])
    values = {1: 40.0, 2: 10.0, 3: 20.0, 4: 30.0}
    store.put(
        _entries(
            [
                [_download(seq, mbps, midnight + seq * HOUR) for seq, mbps in values.items()],
                [_download(5, 99.0, midnight - timedelta(microseconds=1)), _download(6, 7.0, midnight + DAY)],
            ]
        )
    )
    before, day, after = store.days(Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL, ["almaty"])
    assert [each.day for each in (before, day, after)] == ["2026-11-22", "2026-11-23", "2026-11-24"]
    assert (day.median, day.p10, day.p90, day.ok_count) == (25.0, 13.0, 37.0, 4)


def test_a_period_has_its_beginning_and_not_its_end(store: Store) -> None:
    store.put(_entries([[_download(seq, 1.0, NOON + (seq - 1) * HOUR) for seq in range(1, 4)]]))
    period = Period(NOON, NOON + 2 * HOUR)
    assert [each.at for each in store.readings("almaty", period)] == [NOON, NOON + HOUR]
    assert len(store.series("almaty", Metric.DOWNLOAD_THROUGHPUT_MBPS, period)) == 2


def test_a_late_reading_takes_its_place_in_time_and_is_not_the_latest(store: Store) -> None:
    store.put(_entries([[_download(1, 20.0, NOON)]]))
    store.put(_entries([[_download(2, 5.0, NOON - 3 * DAY)]], first=2))
    assert [each.value for each in store.series("almaty", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)] == [5.0, 20.0]
    (latest,) = store.latest(["almaty"])
    assert latest.at == NOON


def test_only_the_schools_asked_for_are_answered_for(store: Store) -> None:
    store.put(_entries([[_download(1, 20.0, NOON), _download(2, 30.0, NOON, "chatham")]]))
    assert [each.school_id for each in store.latest()] == ["almaty", "chatham"]
    assert [each.school_id for each in store.latest(["chatham", "nowhere"])] == ["chatham"]
    assert list(store.latest([])) == []
    assert [each.school_id for each in store.days(Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL, ["chatham"])] == ["chatham"]
    assert list(store.days(Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL, [])) == []


def test_quarantined_readings_are_counted_and_in_no_answer(store: Store) -> None:
    reading = DEVICE.reading(6, NOON)
    store.put(_entries([[_accepted(reading, time_method=TimeMethod.QUARANTINED)]]))
    assert (store.count(), store.count_quarantined()) == (1, 1)
    assert list(store.latest()) == []
    assert list(store.readings("almaty", ALL)) == []
    assert list(store.days(Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)) == []


@pytest.mark.parametrize("school_id", ["0007", "7", "%", "a' OR '1'='1", "Ә қ 'х'", "x" * 300])
def test_a_schools_id_is_only_ever_text(store: Store, school_id: str) -> None:
    store.put(_entries([[_download(1, 20.0, NOON, school_id), _download(2, 30.0, NOON, "almaty")]]))
    assert [each.school_id for each in store.readings(school_id, ALL)] == [school_id]
    assert [each.school_id for each in store.latest([school_id])] == [school_id]
    assert len(store.series(school_id, Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)) == 1


def test_a_put_that_fails_leaves_nothing_behind(store: Store) -> None:
    good = _entries([[_download(1, 20.0, NOON)]])
    # No probe has this direction, so no store can place it.
    misplaced = msgspec.structs.replace(DEVICE.reading(6, NOON), direction="sideways")
    with pytest.raises(Exception, match="sideways"):
        store.put([*good, *_entries([[_accepted(misplaced)]], first=2)])
    assert (store.position(), store.count(), list(store.latest())) == (0, 0, [])
    store.put(good)
    assert (store.position(), store.count()) == (1, 1)


def test_values_of_different_engines_are_never_in_one_statistic(store: Store) -> None:
    ours = [_download(seq, 20.0 + seq, NOON + seq * HOUR) for seq in range(1, 4)]
    others = [
        msgspec.structs.replace(
            _download(seq, 900.0, NOON + seq * HOUR),
            reading=msgspec.structs.replace(_download(seq, 900.0, NOON).reading, engine=engine),
        )
        for seq, engine in enumerate([EngineName.LIBRESPEED, EngineName.SPEEDTEST, EngineName.IPERF3], start=4)
    ]
    failed = _download(9, None, NOON + 9 * HOUR)
    others.append(
        msgspec.structs.replace(failed, reading=msgspec.structs.replace(failed.reading, engine=EngineName.SPEEDTEST))
    )
    store.put(_entries([[*ours, *others]]))

    runs = store.series("almaty", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)
    days = store.days(Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)

    assert [(run.engine, run.value) for run in runs] == [(EngineName.NDT7, 20.0 + seq) for seq in range(1, 4)]
    assert sum(day.ok_count for day in days) == 3
    assert sum(day.failed_count for day in days) == 0
    assert max(day.p90 for day in days if day.p90 is not None) < 24
    assert len(store.readings("almaty", ALL)) == 7


def test_a_school_that_one_other_engine_measured_has_that_engines_series(store: Store) -> None:
    runs = [
        msgspec.structs.replace(
            _download(seq, 30.0, NOON + seq * HOUR),
            reading=msgspec.structs.replace(_download(seq, 30.0, NOON).reading, engine=EngineName.LIBRESPEED),
        )
        for seq in (1, 2)
    ]
    store.put(_entries([[*runs, _download(3, 5.0, NOON + 3 * HOUR)]]))

    found = store.series("almaty", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)

    assert {run.engine for run in found} == {EngineName.LIBRESPEED}
    assert [run.value for run in found] == [30.0, 30.0]


def _audit(seq: int, at: datetime, direction: Direction, school_id: str = "almaty", **changes: object) -> Accepted:
    shortened, full_length = AUDITED[direction]
    values = {shortened: 20.0 + seq, full_length: 20.0}
    reading = DEVICE.reading(6 * seq, at)
    facts = {"direction": direction, "values": values, "sample_counts": {}, **changes}
    return _accepted(msgspec.structs.replace(reading, **facts), at, school_id)


def test_audits_are_the_good_runs_with_both_figures_of_their_direction(store: Store) -> None:
    down, up = Direction.DOWNLOAD, Direction.UPLOAD
    failed = DEVICE.reading(54, NOON, outcome=Outcome.FAILED)
    failed = msgspec.structs.replace(failed, values=_audit(9, NOON, down).reading.values)
    quarantined = msgspec.structs.replace(_audit(8, NOON, down), time_method=TimeMethod.QUARANTINED)
    store.put(
        _entries(
            [
                [_download(1, 20.0, NOON), _audit(2, NOON, down), _audit(3, NOON - HOUR, up)],
                [_audit(4, NOON + HOUR, up, values=_audit(4, NOON, down).reading.values)],
                [_audit(5, NOON, down, "0007"), _accepted(failed), quarantined],
            ]
        )
    )
    found = store.audits(Period(NOON - HOUR, NOON + HOUR))
    assert [(one.school_id, one.at, one.direction, one.shortened_mbps, one.full_length_mbps) for one in found] == [
        ("0007", NOON, down, 25.0, 20.0),
        ("almaty", NOON - HOUR, up, 23.0, 20.0),
        ("almaty", NOON, down, 22.0, 20.0),
    ]
    assert list(store.audits(ALL, ["almaty"])) == list(found[1:])
    assert list(store.audits(ALL, [])) == []
    assert list(store.audits(Period(NOON, NOON))) == []
