"""What goes by the rule of retention, and that nothing else changes by it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mektep_collector.config.retention import FOR_EVER, Retention
from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.journal.journal import Journal
from mektep_collector.store.embedded import EmbeddedFiles, EmbeddedStore
from mektep_collector.store.embedded.closing import close_day
from mektep_collector.store.store import Period
from mektep_collector.store.table import Placement
from mektep_wire import FateOutcome, Metric, Receipt
from tests.support.school_device import NOON, SchoolDevice
from tests.support.wire_examples import readings

ALMATY = ZoneInfo("Asia/Almaty")
DAY = timedelta(days=1)
ALL = Period(NOON - 1000 * DAY, NOON + 1000 * DAY)
PLACES = {"east": Placement("all", 20.0), "west": Placement("all")}
FAR_FUTURE = NOON + 9_000 * DAY
DEVICE = SchoolDevice()

moments = st.integers(-400, 400).map(lambda steps: NOON + steps * timedelta(minutes=17))
journals = st.lists(
    st.lists(
        st.builds(
            Accepted,
            reading=readings(),
            at=moments,
            school_id=st.sampled_from(sorted(PLACES)),
            device_id=st.just(DEVICE.record.id),
            time_method=st.just(TimeMethod.SAME_BOOT),
        ),
        min_size=1,
        max_size=6,
    ),
    min_size=1,
    max_size=6,
)


def _open(directory: Path, retention: Retention = FOR_EVER) -> EmbeddedStore:
    return EmbeddedStore(directory, lambda _school_id: ALMATY, close_day, retention)


def _entry(position: int, accepted: Sequence[Accepted]) -> Entry:
    return Entry(position=position, received_at=NOON, accepted=accepted)


def _reading(seq: int, at: datetime) -> Accepted:
    return Accepted(
        reading=DEVICE.reading(seq, at, monotonic_s=1e6),
        device_id=DEVICE.record.id,
        school_id="east",
        at=at,
        time_method=TimeMethod.SAME_BOOT,
    )


def _look(store: EmbeddedStore, now: datetime) -> None:
    """Do what the job does in a round."""
    store.tidy()
    for day in store.due_days(FAR_FUTURE):
        store.close_day(day)
    store.thin_out(now)


@given(batches=journals, metrics=st.lists(st.sampled_from(Metric), min_size=1, max_size=3), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25)
def test_days_that_are_kept_in_short_answer_every_statistic_as_before(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Accepted]], metrics: list[Metric], data: st.DataObject
) -> None:
    whole = _open(tmp_path_factory.mktemp("whole"))
    short = _open(tmp_path_factory.mktemp("short"), Retention(readings_days=1))
    try:
        for position, accepted in enumerate(batches, start=1):
            whole.put([_entry(position, accepted)])
            short.put([_entry(position, accepted)])
            if data.draw(st.booleans(), label="looks"):
                _look(short, NOON + data.draw(st.integers(-8, 8), label="days later") * DAY)
        _look(short, NOON + data.draw(st.integers(-8, 8), label="days later") * DAY)
        for metric in metrics:
            for school_id in PLACES:
                assert short.series(school_id, metric, ALL) == whole.series(school_id, metric, ALL)
            assert short.days(metric, ALL) == whole.days(metric, ALL)
            assert short.days(metric, ALL, ["east"]) == whole.days(metric, ALL, ["east"])
            assert short.table(metric, ALL, PLACES) == whole.table(metric, ALL, PLACES)
        assert short.audits(ALL) == whole.audits(ALL)
        assert short.latest() == whole.latest()
    finally:
        whole.close()
        short.close()


def test_whole_readings_go_once_their_day_is_old_enough(tmp_path: Path) -> None:
    store = _open(tmp_path, Retention(readings_days=92))
    store.put([_entry(1, [_reading(6, NOON - 93 * DAY), _reading(12, NOON - 92 * DAY)])])
    _look(store, NOON)
    assert [each.reading.seq for each in store.readings("east", ALL)] == [12]
    assert len(store.series("east", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)) == 2
    store.close()


def test_a_late_reading_of_a_day_that_is_kept_in_short_counts_like_any_other(tmp_path: Path) -> None:
    store = _open(tmp_path, Retention(readings_days=92))
    store.put([_entry(1, [_reading(6, NOON - 100 * DAY)])])
    _look(store, NOON)
    store.put([_entry(2, [_reading(12, NOON - 100 * DAY + timedelta(hours=1))])])
    for _ in range(2):
        assert len(store.series("east", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)) == 2
        (day,) = store.days(Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)
        assert day.ok_count == 2
        _look(store, NOON)
    assert list(store.readings("east", ALL)) == []
    store.close()


def test_runs_go_when_their_time_is_over_and_what_is_later_stays(tmp_path: Path) -> None:
    store = _open(tmp_path, Retention(readings_days=92, runs_days=400))
    store.put([_entry(1, [_reading(6 * n, NOON - days * DAY) for n, days in enumerate((401, 400, 100, 1), start=1)])])
    _look(store, NOON)
    left = [NOON - days * DAY for days in (400, 100, 1)]
    assert [each.at for each in store.series("east", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)] == left
    store.close()
    opened = _open(tmp_path)
    assert [each.at for each in opened.series("east", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)] == left
    opened.close()


def test_a_day_kept_in_short_takes_less_room_and_is_sound(tmp_path: Path) -> None:
    store = _open(tmp_path / "store", Retention(readings_days=92))
    store.put([_entry(1, [_reading(seq, NOON - 100 * DAY + timedelta(seconds=seq)) for seq in range(1, 2_001)])])
    store.close_day((NOON - 100 * DAY).date())
    (before,) = (tmp_path / "store" / "days").glob("*.parquet")
    before_bytes = before.stat().st_size
    store.thin_out(NOON)
    store.close()
    (after,) = (tmp_path / "store" / "days").glob("*.parquet")
    assert after.name.endswith(".runs.parquet")
    assert after.stat().st_size < before_bytes / 3
    found = list(EmbeddedFiles(tmp_path).findings(lambda *_: None))
    assert [each.seen for each in found if each.weight.value == "fault"] == []


def test_what_is_kept_for_ever_is_kept(tmp_path: Path) -> None:
    store = _open(tmp_path)
    store.put([_entry(1, [_reading(6, NOON - 900 * DAY)])])
    _look(store, FAR_FUTURE)
    assert len(store.readings("east", ALL)) == 1
    store.close()


@pytest.mark.parametrize(
    ("kept_days", "last"), [(0, date(2026, 11, 22)), (1, date(2026, 11, 21)), (92, date(2026, 8, 22))]
)
def test_a_day_is_as_old_as_its_end(kept_days: int, last: date) -> None:
    for now in (datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, 4, 59, tzinfo=ALMATY)):
        assert Retention(readings_days=kept_days).last_without_readings(now) == last


def _accepted(journal: Journal, bodies: Sequence[tuple[bytes, datetime]]) -> list[Receipt]:
    async def run() -> list[Receipt]:
        return [await journal.accept(DEVICE.submission(body, received_at=at)) for body, at in bodies]

    return asyncio.run(run())


def test_old_batches_go_from_the_journal_and_are_known_still(tmp_path: Path) -> None:
    bodies = [DEVICE.batch([DEVICE.reading(3 * n + seq) for seq in (1, 2, 3)]) for n in range(100)]
    journal = Journal(tmp_path)
    _accepted(journal, [(body, NOON + n * timedelta(minutes=1)) for n, body in enumerate(bodies)])
    assert journal.prune(NOON + timedelta(minutes=80), up_to_position=70) == 70
    assert journal.prune(NOON + timedelta(minutes=80), up_to_position=70) == 0
    assert [entry.position for entry in journal.read(0, 1_000)] == list(range(71, 101))
    assert journal.signed(70) is None
    receipts = _accepted(journal, [(body, NOON + timedelta(days=1)) for body in bodies])
    assert {fate.outcome for receipt in receipts for fate in receipt.fates} == {FateOutcome.DUPLICATE}
    assert journal.position() == 100
    assert journal.gaps(DEVICE.record.id) == []
    journal.close()


def test_the_journals_last_entry_stays_so_that_the_next_one_follows_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    _accepted(journal, [(DEVICE.batch([DEVICE.reading(n)]), NOON) for n in (901, 902)])
    assert journal.prune(NOON + DAY, up_to_position=2) == 1
    journal.close()
    journal = Journal(tmp_path)
    assert journal.position() == 2
    _accepted(journal, [(DEVICE.batch([DEVICE.reading(903)]), NOON)])
    assert [entry.position for entry in journal.read(0, 9)] == [2, 3]
    journal.close()


def test_what_is_young_enough_or_not_yet_in_the_store_is_not_pruned(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    _accepted(journal, [(DEVICE.batch([DEVICE.reading(n)]), NOON + n * DAY) for n in (1_001, 1_002, 1_003)])
    assert journal.prune(NOON + 1_001 * DAY, up_to_position=3) == 0
    assert journal.prune(NOON + 2_000 * DAY, up_to_position=0) == 0
    assert len(journal.read(0, 9)) == 3
    journal.close()
