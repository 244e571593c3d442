"""The account on disk: a kill at any moment loses no byte, and small things cost few writes."""

import random
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from mektep_agent.budget.account import AHEAD_BYTES, Account, read_ledger
from mektep_agent.budget.link_bytes import of_exchange, on_the_line
from mektep_agent.config.state_folder import StateFolder
from mektep_wire import ClockStatus, Outcome, ProbeName, SkipReason
from tests.support.agent_time import SetTime, a_reading

ALMATY = ZoneInfo("Asia/Almaty")


class Place:
    """A folder and a clock, and the account opened on them as often as is wanted: without `close`, as after a kill."""

    def __init__(self, path: Path) -> None:
        self.folder = StateFolder(path)
        self.time = SetTime()
        self.status = ClockStatus.COMPARED

    def now(self) -> tuple[datetime, ClockStatus]:
        return self.time.now(), self.status

    def opened(self) -> Account:
        return Account(self.folder, self.now, ALMATY)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_an_account_that_was_closed_is_opened_with_the_same_figures(place: Place) -> None:
    account = place.opened()
    account.count_test(5_000)
    account.count(700)
    account.close()
    assert (place.opened().month.test_bytes, place.opened().month.other_bytes) == (5_000, 700)


def test_a_kill_at_any_moment_never_makes_the_account_forget(place: Place) -> None:
    chance = random.Random(3)
    account, spent, kills = place.opened(), 0, 0
    for _ in range(400):
        if chance.random() < 0.1:
            cost = chance.randrange(10**7)
            account.hold(cost)
            spent += cost
            if chance.random() < 0.5:  # killed in mid-test
                account, kills = place.opened(), kills + 1
            else:
                account.count_test(cost)
        else:
            cost = chance.randrange(20_000)
            account.count(cost)
            spent += cost
        if chance.random() < 0.05:
            account, kills = place.opened(), kills + 1
        assert spent <= account.month.used_bytes <= spent + AHEAD_BYTES * kills
    assert kills > 10


def test_small_things_cost_few_writes(place: Place) -> None:
    account = place.opened()
    written = set()
    for _ in range(300):
        account.count(1_000)
        written.add(place.folder.budget.read_bytes())
    assert len(written) <= 6


def test_a_new_month_begins_with_the_schools_midnight(place: Place) -> None:
    account = place.opened()
    account.count_test(5_000)
    place.time.pass_s((datetime(2026, 11, 30, 19, tzinfo=place.time.now().tzinfo) - place.time.now()).total_seconds())
    assert (account.month.month, account.month.used_bytes) == ("2026-12", 0)


def test_a_clock_set_ahead_and_back_changes_nothing(place: Place) -> None:
    account = place.opened()
    account.count_test(5_000)
    place.status = ClockStatus.UNKNOWN
    place.time.step_s(400 * 86_400.0)
    account.count_test(3_000)
    place.time.step_s(-400 * 86_400.0)
    place.status = ClockStatus.COMPARED
    account.count_test(1)
    assert (account.month.month, account.month.test_bytes) == ("2026-11", 8_001)


def test_a_damaged_account_is_set_aside_and_begun_anew(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.folder.write(place.folder.budget, b'{"months": half')
    assert place.opened().month.used_bytes == 0
    assert len(list(place.folder.path.glob("budget-corrupt-*.json"))) == 1
    assert "budget_set_aside" in caplog.text


def test_a_disk_that_takes_nothing_stops_no_count(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    account = place.opened()
    place.folder.budget.with_name("budget.json.new").mkdir()
    account.count_test(5_000)
    assert account.month.test_bytes == 5_000
    assert "budget_not_written" in caplog.text
    place.folder.budget.with_name("budget.json.new").rmdir()
    account.count_test(1)
    assert read_ledger(place.folder).current.test_bytes == 5_001


def test_what_was_not_run_cost_nothing_and_a_failure_costs_what_it_moved() -> None:
    chance = random.Random(1)
    skipped = a_reading(chance, outcome=Outcome.OK)
    failed = a_reading(chance, probe=ProbeName.THROUGHPUT, outcome=Outcome.FAILED)
    assert (
        on_the_line(replace(skipped, outcome=Outcome.SKIPPED, skip=SkipReason.PAUSED, values={}, sample_counts={})) == 0
    )
    assert on_the_line(replace(failed, bytes_received=1_000_000)) > 1_000_000 * 1.06
    assert of_exchange(10_000) > 10_000
