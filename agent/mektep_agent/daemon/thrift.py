"""The budget at work: what is left out so that the month's cap holds, and what crossed the line."""

import logging
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from mektep_agent.budget.account import Account
from mektep_agent.budget.ledger import Outlook, cap_in_force
from mektep_agent.budget.link_bytes import on_the_line
from mektep_agent.budget.month import before, end_of
from mektep_agent.budget.plan import (
    Choice,
    Reserve,
    decide,
    dither_of,
    expected_test_bytes,
    reserve_for,
    share_of_ticks,
)
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.probes.audit.conduct import AuditTerms
from mektep_agent.schedule.agenda import Agenda, Errand
from mektep_wire import Assignment, ProbeName, Reading, Trigger

_LOG = logging.getLogger(__name__)
EXHAUSTED_SEND_S = 86_400.0
_LEAST_MEASURED_S = 8 * 3_600.0
_ALWAYS = {Trigger.MANUAL, Trigger.EVENT}


class LocalCap(msgspec.Struct, frozen=True, kw_only=True):
    """What this computer's settings say of the budget; `month_cap_bytes` 0 sets none."""

    month_cap_bytes: int = 0
    month_carry_over_ratio: float = 0.0


class Thrift:
    """Decides about errands and keeps the account. `close` it at the end."""

    def __init__(self, folder: StateFolder, time: KnownTime, local: LocalCap) -> None:
        self._folder = folder
        self._time = time
        self._local = local
        self._account: Account | None = None
        self._assignment: Assignment | None = None
        self._agenda: Agenda | None = None
        self._early_bytes = 0

    def close(self) -> None:
        """Write down what was used."""
        if self._account is not None:
            self._account.close()

    def follow(self, assignment: Assignment, agenda: Agenda) -> None:
        """Go by this assignment and its agenda from now on."""
        zone = ZoneInfo(assignment.time_zone)
        self._assignment, self._agenda = assignment, agenda
        if self._account is None:
            self._account = Account(self._folder, lambda: (self._time.now(), self._time.clock().status), zone)
            self._account.count(self._early_bytes)
        else:
            self._account.move_to(zone)
        self._look_ahead(self._account, assignment, agenda)

    def choose(self, errand: Errand) -> Choice:
        """Say whether `errand` runs; it is taken as handed out by the agenda. What a person asks for always runs."""
        account, assignment, agenda = self._account, self._assignment, self._agenda
        if account is None or assignment is None or agenda is None or errand.trigger in _ALWAYS:
            return Choice.RUN
        cap_bytes = self._cap_bytes(account, assignment)
        if cap_bytes is None:
            return Choice.RUN
        if errand.probe is ProbeName.THROUGHPUT:
            return self._choose_test(account, assignment, agenda, cap_bytes)
        reserve, _ = self._ahead(account, assignment, agenda)
        latency_share, path_share = share_of_ticks(cap_bytes - account.month.used_bytes, reserve)
        share = latency_share if errand.probe is ProbeName.LATENCY else path_share
        drawn = dither_of(assignment.device_id, f"{errand.probe.value}/{errand.tick}")
        return Choice.RUN if drawn <= share else Choice.LEAVE_OUT

    def begin_test(self, errand: Errand) -> None:
        """Set aside what the test that begins may use, in case that its end is never seen.

        An audit, and a test at start-up, which may be one, runs to full length whatever recent tests used.
        """
        if self._account is None or self._assignment is None:
            return
        recent = self._account.ledger.recent_test_bytes
        is_drawn = AuditTerms.of(self._assignment).draw(errand.trigger, errand.slot)
        if not recent or is_drawn or errand.trigger is Trigger.STARTUP:
            recent = (*recent, expected_test_bytes((), self._assignment))
        self._account.hold(max(recent))

    def room_bytes(self, errand: Errand) -> int | None:
        """Return what the cap leaves for a test, so that not even one of unforeseen size passes it; None for any."""
        account, assignment = self._account, self._assignment
        if account is None or assignment is None or errand.trigger in _ALWAYS:
            return None
        cap_bytes = self._cap_bytes(account, assignment)
        return None if cap_bytes is None else max(0, cap_bytes - account.month.used_bytes)

    def end_test(self, readings: Sequence[Reading]) -> None:
        """Count a test that has ended, well or badly."""
        self._count_test(sum(on_the_line(reading) for reading in readings))

    def count(self, readings: Sequence[Reading]) -> None:
        """Count readings that were no throughput test."""
        self.spend(sum(on_the_line(reading) for reading in readings))

    def spend(self, other_bytes: int) -> None:
        """Count anything else that crossed the line, such as a delivery or a heartbeat."""
        if self._account is None:
            self._early_bytes += other_bytes
        else:
            self._account.count(other_bytes)

    @property
    def used_bytes(self) -> int:
        """All that was counted in this month so far."""
        return self._early_bytes if self._account is None else self._account.month.used_bytes

    @property
    def least_send_s(self) -> float:
        """How far deliveries are apart at least: once the cap is used up, a day; before, the assignment alone says."""
        if self._account is None or self._assignment is None:
            return 0.0
        cap_bytes = self._cap_bytes(self._account, self._assignment)
        is_used_up = cap_bytes is not None and self._account.month.used_bytes >= cap_bytes
        return EXHAUSTED_SEND_S if is_used_up else 0.0

    def _count_test(self, test_bytes: int) -> None:
        if self._account is None:
            self._early_bytes += test_bytes
            return
        self._account.count_test(test_bytes)
        if self._assignment is not None and self._agenda is not None:
            self._look_ahead(self._account, self._assignment, self._agenda)

    def _choose_test(self, account: Account, assignment: Assignment, agenda: Agenda, cap_bytes: int) -> Choice:
        reserve, slots_count = self._ahead(account, assignment, agenda)
        month = account.month
        decision = decide(
            line_bytes=month.line_bytes,
            used_bytes=month.test_bytes,
            end_bytes=cap_bytes - month.other_bytes - reserve.total_bytes,
            slots_left_count=slots_count + 1,
            test_bytes=expected_test_bytes(account.ledger.recent_test_bytes, assignment),
            dither=dither_of(assignment.device_id, f"{month.month}/{month.tests_count}"),
        )
        account.plan(cap_bytes, decision.line_bytes, account.ledger.outlook)
        self._look_ahead(account, assignment, agenda)
        return decision.choice

    def _cap_bytes(self, account: Account, assignment: Assignment) -> int | None:
        """Return the cap in force, or None; the local one can only lower the assigned one."""
        caps = [cap for cap in (assignment.month_budget_bytes, self._local.month_cap_bytes or None) if cap is not None]
        if not caps:
            return None
        return cap_in_force(account.ledger, min(caps), self._local.month_carry_over_ratio)

    def _ahead(self, account: Account, assignment: Assignment, agenda: Agenda) -> tuple[Reserve, int]:
        """Return what is set aside for the rest of the month, and how many slots it still has."""
        now, month = self._time.now(), account.month
        zone = ZoneInfo(assignment.time_zone)
        left = agenda.left(now, end_of(month.month, zone))
        begin = end_of(before(month.month), zone)
        gone_s = agenda.left(begin, now).school_s
        measured = month.other_bytes / gone_s if gone_s >= _LEAST_MEASURED_S else 0.0
        return reserve_for(assignment, left.school_s, measured), left.slots_count

    def _look_ahead(self, account: Account, assignment: Assignment, agenda: Agenda) -> None:
        reserve, slots_count = self._ahead(account, assignment, agenda)
        month, test_bytes = account.month, expected_test_bytes(account.ledger.recent_test_bytes, assignment)
        cap_bytes = self._cap_bytes(account, assignment)
        wanted_bytes = month.used_bytes + slots_count * test_bytes + reserve.total_bytes
        tests_count, forecast_bytes = slots_count, wanted_bytes
        if cap_bytes is not None:
            room_bytes = max(0, cap_bytes - month.used_bytes - reserve.total_bytes)
            tests_count = min(slots_count, room_bytes // max(1, test_bytes))
            small_bytes = min(reserve.total_bytes, max(0, cap_bytes - month.used_bytes))
            forecast_bytes = month.used_bytes + tests_count * test_bytes + small_bytes
        outlook = Outlook(
            at=self._time.now(),
            forecast_bytes=forecast_bytes,
            wanted_bytes=wanted_bytes,
            slots_left_count=slots_count,
            tests_left_count=tests_count,
        )
        account.plan(cap_bytes, month.line_bytes, outlook)
