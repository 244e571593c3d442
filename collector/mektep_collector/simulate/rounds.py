"""The days of a simulation in their order: on each, who delivers, and what."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

from mektep_collector.simulate.batch import bodies_of
from mektep_collector.simulate.delivery import Sender
from mektep_collector.simulate.enrolment import Enrolled
from mektep_collector.simulate.late import SATURDAY, delivers_on


def rounds(
    devices: Sequence[Enrolled], first: date, days_count: int, now: Callable[[], datetime]
) -> Iterator[Iterator[Sender]]:
    """Yield those who deliver on each day of a simulation that begins on `first`, and after its end all who still hold.

    A computer delivers what it measured that day, and first of all what it kept from the days on which it did not come
    to sending. Batches are made when they are asked for, and say that they were sent at that time, which `now` returns.
    A round is to be delivered before the next is asked for.
    """
    kept_from = [device.since for device in devices]
    for day in (first + timedelta(days=number) for number in range(days_count)):
        yield _round(devices, kept_from, day, now)
    yield _rest(devices, kept_from, now)


def _round(
    devices: Sequence[Enrolled], kept_from: list[date], day: date, now: Callable[[], datetime]
) -> Iterator[Sender]:
    for place, device in enumerate(devices):
        if device.since <= day < device.until and delivers_on(device.computer.school, day):
            yield _sender(device, kept_from[place], day + timedelta(days=1), now)
            kept_from[place] = day + timedelta(days=1)


def _rest(devices: Sequence[Enrolled], kept_from: list[date], now: Callable[[], datetime]) -> Iterator[Sender]:
    for place, device in enumerate(devices):
        if any(day.weekday() < SATURDAY for day in _days(kept_from[place], device.until)):
            yield _sender(device, kept_from[place], device.until, now)


def _sender(device: Enrolled, since: date, until: date, now: Callable[[], datetime]) -> Sender:
    return Sender(device.token, bodies_of(device, _days(since, until), now))


def _days(since: date, until: date) -> Iterator[date]:
    return (since + timedelta(days=number) for number in range((until - since).days))
