"""The grid's short form: the frugal test on eight links of known truth, two laboratories side by side.

`make bench-links` has the whole grid. Links are slow here, so that two of them leave the processor to each other; the
full-length test is left to the grid. A link that was late, as the machine was busy, is measured again.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from mektep_wire import Direction, StopReason
from tests.bench.grid.entry import Entry, entry
from tests.bench.grid.transfers import Outcome, Transfer
from tests.support.links import CongestionControl, laboratory
from tests.support.links.measuring import measuring_server

pytestmark = [pytest.mark.rights, pytest.mark.slow, pytest.mark.slow_links]

BBR = CongestionControl.BBR
ENTRIES = (
    entry("clean", 10, 4, 35, seed=61),
    entry("fast", 60, 20, 20, seed=62),
    entry("satellite", 5, 2, 580, queue_ms=600, seed=63),
    entry("deep queue", 6, 2, 50, queue_ms=1500, seed=64),
    entry("shallow queue", 12, 5, 25, queue_ms=25, seed=65),
    entry("lossy", 15, 4, 60, loss_ratio=0.005, up_sender=BBR, seed=66),
    entry("jittery", 12, 4, 60, jitter_ms=12, seed=67),
    entry("slow", 0.7, 0.4, 150, queue_ms=600, seed=68),
)
WORST_ERROR_RATIO = 0.05
TRUSTED_LATE_RATIO = 0.005
GOES = 3


def measured(one: Entry) -> dict[Direction, Transfer]:
    words = [sys.executable, "-m", "tests.bench.grid.transfers", "--runs", "1", "--only-frugal"]
    for _ in range(GOES):
        with (
            laboratory(one.link, congestion_control=one.up_sender) as lab,
            measuring_server(lab.server, "--congestion-control", one.down_sender.value) as server,
        ):
            done = lab.school.run([*words, server], timeout_s=60)
            crossed = lab.counters()
        if max(crossed.down.late_ratio, crossed.up.late_ratio) <= TRUSTED_LATE_RATIO:
            break
    outcomes = msgspec.json.decode(done.stdout, type=dict[Direction, Outcome])
    failures = [outcome.failure for outcome in outcomes.values() if outcome.failure]
    assert not failures, failures
    return {direction: outcome.frugal[0] for direction, outcome in outcomes.items()}


@pytest.fixture(scope="module")
def grid() -> dict[str, dict[Direction, Transfer]]:
    with ThreadPoolExecutor(2) as pool:
        return dict(zip([one.name for one in ENTRIES], pool.map(measured, ENTRIES), strict=True))


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("one", ENTRIES, ids=[one.name for one in ENTRIES])
def test_a_short_test_tells_the_link(
    grid: dict[str, dict[Direction, Transfer]], one: Entry, direction: Direction
) -> None:
    transfer = grid[one.name][direction]
    assert transfer.value_mbps == pytest.approx(one.truth_mbps(direction), rel=WORST_ERROR_RATIO)
    assert transfer.low_mbps <= transfer.value_mbps <= transfer.high_mbps


def test_most_links_take_a_tenth_of_the_data(grid: dict[str, dict[Direction, Transfer]]) -> None:
    quick = [transfer for found in grid.values() for transfer in found.values() if transfer.duration_s <= 2.0]
    assert len(quick) >= len(ENTRIES)
    assert {transfer.stop_reason for transfer in quick} == {StopReason.CONVERGED}
