"""Homes of devices: one each, for ever, whoever of several collectors asks first."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest

from mektep_collector.registry.homes import Home, Homes
from mektep_collector.registry.registry import Registry
from tests.support.newcomer import Newcomer
from tests.support.school_table import EXAMPLE, Place, registry_with
from tests.support.set_time import SetTime

FIRST = Home("11111111-1111-4111-8111-111111111111", "http://one:8080")
SECOND = Home("22222222-2222-4222-8222-222222222222", "http://two:8080")


def _device(registry: Registry, time: SetTime) -> str:
    (issued,) = registry.codes.issue("0007", 1, timedelta(days=1), time.now())
    return registry.enrolment.enrol(Newcomer().request(issued.code), time.now()).device.id


@contextmanager
def _two(place: Place, time: SetTime) -> Generator[tuple[Registry, Homes, Homes], None, None]:
    """Two collectors with one register, each with connections of its own."""
    with ExitStack() as opened:
        one = opened.enter_context(registry_with(place, time, EXAMPLE))
        other = opened.enter_context(registry_with(place, time))
        yield one, one.homes(FIRST, time, []), other.homes(SECOND, time, [])


def test_whoever_is_spoken_to_first_is_a_devices_home_for_all(place: Place) -> None:
    time = SetTime()
    with _two(place, time) as (registry, first, second):
        device, other = _device(registry, time), _device(registry, time)
        assert second.of(device) == SECOND
        assert first.of(device) == SECOND
        assert first.of(other) == second.of(other) == FIRST


def test_what_a_journal_has_already_is_claimed_where_nobody_has(place: Place) -> None:
    time = SetTime()
    with _two(place, time) as (registry, first, second):
        old, taken = _device(registry, time), _device(registry, time)
        assert second.of(taken) == SECOND
        first.claim([old, taken, "00000000-0000-4000-8000-000000000000"])
        assert (second.of(old), second.of(taken)) == (FIRST, SECOND)


@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "half a minute later"])
def test_a_home_that_moved_is_found_at_its_new_address_soon(place: Place, is_late: bool) -> None:
    time = SetTime()
    with _two(place, time) as (registry, first, second):
        device = _device(registry, time)
        assert second.of(device) == SECOND
        assert first.of(device).url == "http://two:8080"
        registry.homes(Home(SECOND.collector_id, "http://elsewhere:8080"), time, [])
        time.pass_s(31.0 if is_late else 1.0)
        assert first.of(device).url == ("http://elsewhere:8080" if is_late else "http://two:8080")
