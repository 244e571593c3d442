from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.journal.correction import Sending, corrected, from_us, sending, to_us
from mektep_collector.journal.entry import TimeMethod
from mektep_wire import Batch, Columns, Reading, decode, encode, pack
from tests.support.school_device import NOON, SchoolDevice

DEVICE = SchoolDevice()
MINUTE = timedelta(minutes=1)
DECADE = timedelta(days=3652)


def _sent(sent_at: datetime = NOON, received_at: datetime = NOON) -> Sending:
    body = DEVICE.batch([DEVICE.reading(1)], sent_at, sent_monotonic_s=1e6)
    return sending(decode(Batch, body), received_at, DEVICE.record.enrolled_at)


def _columns(readings: Sequence[Reading]) -> Columns:
    return decode(Columns, pack([encode(reading) for reading in readings]))


def _one(reading: Reading, sent: Sending) -> tuple[datetime, TimeMethod]:
    (at_us,), (method,) = corrected(_columns([reading]), sent)
    return from_us(at_us), method


@given(st.datetimes(datetime(1970, 1, 1), datetime(2260, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 (bounds are naive)
def test_microseconds_hold_a_time_exactly(at: datetime) -> None:
    assert from_us(to_us(at)) == at


@given(wrong=st.timedeltas(-DECADE * 3, DECADE * 3), age_s=st.floats(0, 900_000))
def test_within_a_boot_no_wall_clock_matters(wrong: timedelta, age_s: float) -> None:
    reading = DEVICE.reading(1, NOON + wrong, monotonic_s=1e6 - age_s)
    at, method = _one(reading, _sent(sent_at=NOON - wrong))
    assert method is TimeMethod.SAME_BOOT
    assert abs((NOON - timedelta(seconds=age_s)) - at) < timedelta(microseconds=2)


def test_of_an_earlier_boot_the_wall_clock_counts_with_the_offset_seen_at_sending() -> None:
    reading = DEVICE.reading(1, NOON - 90 * MINUTE, boot_id=DEVICE.new_id(), monotonic_s=5)
    fast_by = timedelta(hours=1)
    at, method = _one(reading, _sent(sent_at=NOON + fast_by))
    assert method is TimeMethod.CLOCK_OFFSET
    assert at == NOON - 90 * MINUTE - fast_by


def test_a_clock_set_back_by_ten_years_at_sending_takes_earlier_boots_into_quarantine_not_into_the_future() -> None:
    reading = DEVICE.reading(1, NOON - MINUTE, boot_id=DEVICE.new_id())
    at, method = _one(reading, _sent(sent_at=NOON - DECADE))
    assert (at, method) == (NOON, TimeMethod.QUARANTINED)


def test_prehistoric_and_future_readings_are_kept_in_quarantine() -> None:
    elsewhere = DEVICE.new_id()
    for started_at in (datetime(1970, 1, 1, tzinfo=UTC), NOON - DECADE, NOON + 11 * MINUTE, NOON + DECADE):
        at, method = _one(DEVICE.reading(1, started_at, boot_id=elsewhere, monotonic_s=5.0), _sent())
        assert (at, method) == (NOON, TimeMethod.QUARANTINED), started_at
    at, method = _one(DEVICE.reading(1, NOON + 9 * MINUTE, boot_id=elsewhere), _sent())
    assert method is TimeMethod.CLOCK_OFFSET


def test_monotonic_clocks_that_cannot_be_fall_back_to_the_wall_clock() -> None:
    impossible = DEVICE.reading(1, NOON - MINUTE, monotonic_s=3e9)
    at, method = _one(impossible, _sent())
    assert (at, method) == (NOON - MINUTE, TimeMethod.CLOCK_OFFSET)


@given(
    st.lists(st.tuples(st.timedeltas(-DECADE, DECADE), st.floats(0, 2e6), st.booleans()), min_size=1, max_size=8),
    st.timedeltas(-DECADE, DECADE),
)
def test_readings_together_are_corrected_as_each_alone(
    drawn: list[tuple[timedelta, float, bool]], wrong: timedelta
) -> None:
    sent = _sent(sent_at=NOON + wrong)
    elsewhere = DEVICE.new_id()
    readings = [
        DEVICE.reading(1, NOON + off, monotonic_s=mono_s, boot_id=elsewhere if other else None)
        for off, mono_s, other in drawn
    ]
    times_us, methods = corrected(_columns(readings), sent)
    alone = [_one(reading, sent) for reading in readings]
    assert [(from_us(at_us), method) for at_us, method in zip(times_us, methods, strict=True)] == alone
