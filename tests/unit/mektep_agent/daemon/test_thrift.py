"""The budget at work over a month of school: the cap holds, round trips stay longest, what was left out is said."""

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from mektep_agent.budget.account import read_ledger
from mektep_agent.budget.plan import Choice
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.thrift import LocalCap, Thrift
from mektep_agent.schedule.agenda import Agenda, Errand
from mektep_wire import Assignment, ProbeName, Trigger, is_audit
from mektep_wire.school_calendar import SchoolCalendar
from tests.support.agent_time import BOOT, SetTime, a_reading
from tests.support.school_assignment import HOLIDAYS_2026, school

MB = 1_000_000
ALMATY = ZoneInfo("Asia/Almaty")
BEGIN = datetime(2026, 2, 1, tzinfo=ALMATY).astimezone(UTC)
END = datetime(2026, 3, 1, tzinfo=ALMATY).astimezone(UTC)
CHANCE = random.Random(2)
SLOTS_COUNT = 80
"""Of February 2026: twenty school days of four."""


class Month:
    """A school's month with the real agenda; what runs costs what the test says."""

    def __init__(self, folder: Path, local: LocalCap | None = None, **assigned: object) -> None:
        self.folder = StateFolder(folder)
        self.time = SetTime(BEGIN)
        self.known = KnownTime(self.time, BOOT)
        self.local = local or LocalCap()
        self.assignment: Assignment = school(**assigned)  # type: ignore[arg-type]
        self.ran: list[Errand] = []
        self.left_out: list[Errand] = []
        self.start()

    def start(self) -> None:
        """Come up, as after a kill."""
        self.thrift = Thrift(self.folder, self.known, self.local)
        marks = {errand.mark for errand in [*self.ran, *self.left_out] if errand.mark}
        self.agenda = Agenda(
            self.assignment, SchoolCalendar(self.assignment, HOLIDAYS_2026), tuple(ProbeName)[:3],
            up_at=self.time.now(), since=BEGIN, startup_at=None, marks=marks,
        )  # fmt: skip
        self.thrift.follow(self.assignment, self.agenda)

    def drive(self, until: datetime, test_bytes: int) -> None:
        while self.time.now() < until:
            for errand in self.agenda.due(self.time.now()):
                if self.thrift.choose(errand) is Choice.LEAVE_OUT:
                    self.left_out.append(errand)
                    continue
                self.ran.append(errand)
                reading = a_reading(CHANCE, probe=errand.probe)
                if errand.probe is ProbeName.THROUGHPUT:
                    self.thrift.begin_test(errand)
                    self.thrift.end_test([msgspec.structs.replace(reading, bytes_received=int(test_bytes / 1.06))])
                else:
                    self.thrift.count([msgspec.structs.replace(reading, bytes_sent=1_500, bytes_received=1_500)])
            step_s = (self.agenda.next_at(self.time.now()) - self.time.now()).total_seconds()
            self.time.pass_s(step_s)

    def tests(self, errands: list[Errand]) -> list[Errand]:
        return [errand for errand in errands if errand.probe is ProbeName.THROUGHPUT]


def test_without_a_cap_nothing_is_left_out(tmp_path: Path) -> None:
    month = Month(tmp_path)
    month.drive(END, 50 * MB)
    assert month.left_out == []
    assert len(month.tests(month.ran)) == SLOTS_COUNT


def test_under_a_cap_tests_get_rarer_evenly_and_round_trips_go_on(tmp_path: Path) -> None:
    month = Month(tmp_path, month_budget_bytes=500 * MB)
    month.drive(END - timedelta(seconds=1), 20 * MB)
    tests = month.tests(month.ran)
    used = read_ledger(month.folder).current.used_bytes
    assert 420 * MB < used <= 520 * MB
    assert 19 <= len(tests) <= 25
    assert len(tests) + len(month.tests(month.left_out)) == SLOTS_COUNT
    assert month.left_out == month.tests(month.left_out), "round trips and the path went on"
    days = [date.fromisoformat(str(errand.slot)[:10]) for errand in tests]
    assert max(after - before for before, after in itertools.pairwise(days)) <= timedelta(days=5)


def test_a_cap_below_the_round_trips_keeps_some_of_them_and_no_test(tmp_path: Path) -> None:
    month = Month(tmp_path, month_budget_bytes=5 * MB)
    month.drive(END - timedelta(seconds=1), 20 * MB)
    ran = [errand.probe for errand in month.ran]
    assert month.tests(month.ran) == []
    assert ran.count(ProbeName.LATENCY) > 200
    assert ran.count(ProbeName.PATH) / 220 < 0.7 * ran.count(ProbeName.LATENCY) / 880, "the path goes first"
    assert read_ledger(month.folder).current.used_bytes <= 5 * MB + 65_536 + 10_000


def test_the_local_cap_can_only_lower_the_assigned_one(tmp_path: Path) -> None:
    counts = []
    for number, (assigned, local) in enumerate([(500, 0), (500, 900), (900, 500), (None, 500)]):
        cap = LocalCap(month_cap_bytes=local * MB)
        Month(tmp_path / str(number), cap, month_budget_bytes=None if assigned is None else assigned * MB)
        outlook = read_ledger(StateFolder(tmp_path / str(number))).outlook
        assert outlook is not None
        counts.append(outlook.tests_left_count)
    assert len(set(counts)) == 1


def test_a_kill_each_day_changes_the_plan_by_no_more_than_what_is_counted_ahead(tmp_path: Path) -> None:
    steady, killed = (Month(tmp_path / name, month_budget_bytes=800 * MB) for name in ("steady", "killed"))
    for day in range(1, 29):
        until = BEGIN + timedelta(days=day) - timedelta(seconds=1 if day == 28 else 0)
        steady.drive(until, 20 * MB)
        killed.drive(until, 20 * MB)
        killed.start()
    assert abs(len(steady.tests(steady.ran)) - len(killed.tests(killed.ran))) <= 1
    assert read_ledger(killed.folder).current.used_bytes <= 820 * MB


def test_a_kill_in_the_midst_of_each_test_still_keeps_the_cap(tmp_path: Path) -> None:
    month = Month(tmp_path, month_budget_bytes=200 * MB, contracted_download_mbps=8.0, contracted_upload_mbps=8.0)
    begun_count = 0
    while month.time.now() < END - timedelta(hours=1):
        for errand in month.agenda.due(month.time.now()):
            if errand.probe is ProbeName.THROUGHPUT and month.thrift.choose(errand) is Choice.RUN:
                month.thrift.begin_test(errand)
                begun_count += 1
                month.ran.append(errand)
                month.start()
        month.time.pass_s((month.agenda.next_at(month.time.now()) - month.time.now()).total_seconds())
    assert begun_count * 20 * MB <= 220 * MB
    assert begun_count >= 7


def test_what_a_person_asks_for_always_runs_and_is_counted(tmp_path: Path) -> None:
    month = Month(tmp_path, month_budget_bytes=0)
    errand = Errand(probe=ProbeName.THROUGHPUT, trigger=Trigger.MANUAL)
    assert month.thrift.choose(errand) is Choice.RUN
    month.thrift.end_test([msgspec.structs.replace(a_reading(CHANCE, probe=ProbeName.THROUGHPUT), bytes_sent=MB)])
    assert month.thrift.used_bytes > MB


def test_once_the_cap_is_used_up_deliveries_are_a_day_apart(tmp_path: Path) -> None:
    month = Month(tmp_path, month_budget_bytes=10 * MB)
    assert month.thrift.least_send_s == 0.0
    month.thrift.spend(10 * MB)
    assert month.thrift.least_send_s == 86_400.0


def test_the_outlook_says_what_the_plan_comes_to_and_what_was_wanted(tmp_path: Path) -> None:
    month = Month(tmp_path, month_budget_bytes=500 * MB, contracted_download_mbps=8.0, contracted_upload_mbps=8.0)
    outlook = read_ledger(month.folder).outlook
    assert outlook is not None
    assert outlook.slots_left_count == SLOTS_COUNT
    assert outlook.wanted_bytes > SLOTS_COUNT * 20 * MB
    assert 480 * MB < outlook.forecast_bytes <= 500 * MB
    assert 20 <= outlook.tests_left_count <= 25
    month.thrift.end_test([msgspec.structs.replace(a_reading(CHANCE, probe=ProbeName.THROUGHPUT), bytes_sent=600 * MB)])
    after = read_ledger(month.folder).outlook
    assert after is not None
    assert (after.tests_left_count, after.forecast_bytes >= 600 * MB) == (0, True)


@pytest.mark.parametrize(("unused", "ratio", "least", "most"), [(400, 0.0, 20, 25), (400, 0.5, 30, 37)])
def test_the_next_month_takes_over_what_the_settings_allow(
    tmp_path: Path, unused: int, ratio: float, least: int, most: int
) -> None:
    month = Month(tmp_path, LocalCap(month_carry_over_ratio=ratio), month_budget_bytes=500 * MB)
    month.thrift.spend(500 * MB - unused * MB)
    month.time.pass_s((END - month.time.now()).total_seconds())
    month.start()
    month.drive(END + timedelta(days=31) - timedelta(seconds=1), 20 * MB)
    assert least <= len(month.tests(month.ran)) <= most


def test_an_audit_that_is_cut_counts_as_a_whole_test_and_another_as_a_short_one(tmp_path: Path) -> None:
    month = Month(tmp_path, month_budget_bytes=900 * MB, contracted_download_mbps=8.0, contracted_upload_mbps=8.0)
    month.assignment = msgspec.structs.replace(month.assignment, audit_seed=bytes(16), audit_ratio=0.5)
    month.start()
    month.drive(BEGIN + timedelta(days=14), 2 * MB)
    slots = {f"2026-02-{day:02}/1" for day in range(10, 28)}
    drawn = {slot for slot in slots if is_audit(bytes(16), month.assignment.device_id, slot, 0.5)}
    assert 0 < len(drawn) < len(slots)
    for slot in slots:
        before = month.thrift.used_bytes
        month.thrift.begin_test(Errand(probe=ProbeName.THROUGHPUT, trigger=Trigger.SLOT, slot=slot))
        month.start()
        assert (month.thrift.used_bytes - before >= 19 * MB) is (slot in drawn)


def test_a_test_may_use_what_the_cap_leaves_and_no_more(tmp_path: Path) -> None:
    month = Month(tmp_path, month_budget_bytes=500 * MB)
    slot = Errand(probe=ProbeName.THROUGHPUT, trigger=Trigger.SLOT)
    assert month.thrift.room_bytes(slot) == 500 * MB
    month.thrift.spend(480 * MB)
    assert month.thrift.room_bytes(slot) == 20 * MB
    month.thrift.spend(80 * MB)
    assert month.thrift.room_bytes(slot) == 0
    assert month.thrift.room_bytes(Errand(probe=ProbeName.THROUGHPUT, trigger=Trigger.MANUAL)) is None


def test_without_a_cap_a_test_may_use_anything(tmp_path: Path) -> None:
    month = Month(tmp_path, month_budget_bytes=None)
    assert month.thrift.room_bytes(Errand(probe=ProbeName.THROUGHPUT, trigger=Trigger.SLOT)) is None
