"""What the budget counts is what crosses the link: a little more, never less; on slow links, fast ones and cut ones."""

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from mektep_agent.budget.link_bytes import on_the_line
from mektep_wire import Direction, Reading
from tests.support.links import LinkCounters, laboratory, symmetric
from tests.support.links.measuring import RunningMeasurement, measure, measuring_server
from tests.support.links.patience import await_count

pytestmark = [pytest.mark.rights, pytest.mark.slow, pytest.mark.slow_links]

Outcome = tuple[list[Reading], int]


def _crossed_bytes(counters: LinkCounters) -> int:
    return counters.down.delivered_bytes + counters.up.delivered_bytes


def _whole(rate_mbps: float, direction: Direction) -> Outcome:
    with laboratory(symmetric(rate_mbps, 40)) as lab, measuring_server(lab.server) as server:
        before = _crossed_bytes(lab.counters())
        readings = measure(lab.school, server, "--direction", direction.value).readings
        return readings, _crossed_bytes(lab.counters()) - before


def _cut() -> Outcome:
    with laboratory(symmetric(5, 40)) as lab, measuring_server(lab.server) as server:
        before = _crossed_bytes(lab.counters())
        running = RunningMeasurement(lab.school, server, "--direction", "download", "--full")
        await_count(lambda: lab.counters().down.delivered_packets, 700, timeout_s=30)
        lab.cut()
        return running.result().readings, _crossed_bytes(lab.counters()) - before


@pytest.fixture(scope="module")
def outcomes(laboratory_obstacle: str | None) -> Generator[dict[str, Future[Outcome]], None, None]:
    if laboratory_obstacle is not None:
        yield {}
        return
    with ThreadPoolExecutor() as side_by_side:
        yield {
            "slow": side_by_side.submit(_whole, 1.0, Direction.DOWNLOAD),
            "fast": side_by_side.submit(_whole, 20.0, Direction.UPLOAD),
            "cut": side_by_side.submit(_cut),
        }


@pytest.mark.parametrize("link", ["slow", "fast", "cut"])
def test_the_count_is_above_what_crossed_by_a_tenth_at_most(outcomes: dict[str, Future[Outcome]], link: str) -> None:
    readings, crossed_bytes = outcomes[link].result()
    counted_bytes = sum(on_the_line(reading) for reading in readings)
    print(f"{link}: {counted_bytes} counted, {crossed_bytes} crossed")
    assert crossed_bytes <= counted_bytes <= 1.1 * crossed_bytes + 10_000, (counted_bytes, crossed_bytes)
