from datetime import UTC, datetime, timedelta

import pytest

from mektep_collector.sla.slot_median import DeviceTest, slot_medians

OPENS = datetime(2026, 10, 5, 3, tzinfo=UTC)
SLOT = timedelta(hours=2.75)


def made(minute: float, value: float, device_id: str = "first") -> DeviceTest:
    return DeviceTest(at=OPENS + timedelta(minutes=minute), device_id=device_id, value=value)


def test_the_busier_computer_speaks_no_louder() -> None:
    tests = [*(made(minute, 10.0) for minute in range(9)), made(20, 30.0, "second")]
    (found,) = slot_medians(tests, OPENS, SLOT)
    assert (found.value, found.devices_count, found.tests_count) == (20.0, 2, 10)


def test_each_slot_speaks_once_and_an_empty_one_not_at_all() -> None:
    found = slot_medians([made(400, 3.0), made(1, 1.0), made(2, 2.0)], OPENS, SLOT)
    assert [(one.begin, one.value) for one in found] == [(OPENS, 1.5), (OPENS + 2 * SLOT, 3.0)]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="before the first slot"):
        slot_medians([made(-1, 1.0)], OPENS, SLOT)
    with pytest.raises(ValueError, match="cannot be"):
        slot_medians([], OPENS, timedelta(0))
