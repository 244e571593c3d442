"""What is left of a month, and how long an errand may be put off."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from mektep_agent.schedule.agenda import Agenda
from mektep_wire import ProbeName, Trigger
from mektep_wire.school_calendar import SchoolCalendar
from tests.support.school_assignment import HOLIDAYS_2026, school

ALMATY = ZoneInfo("Asia/Almaty")
BEGIN = datetime(2026, 2, 1, tzinfo=ALMATY).astimezone(UTC)
END = datetime(2026, 3, 1, tzinfo=ALMATY).astimezone(UTC)


def _agenda(begin: datetime = BEGIN) -> Agenda:
    assignment = school()
    return Agenda(
        assignment, SchoolCalendar(assignment, HOLIDAYS_2026), (ProbeName.THROUGHPUT, ProbeName.LATENCY),
        up_at=begin, since=begin, startup_at=None, marks=(),
    )  # fmt: skip


def test_a_month_has_four_slots_and_eleven_hours_for_each_of_its_school_days() -> None:
    left = _agenda().left(BEGIN, END)
    assert (left.slots_count, left.school_s) == (4 * 20, 20 * 11 * 3_600.0)


def test_what_was_handed_out_or_is_over_is_not_left() -> None:
    agenda = _agenda()
    noon = datetime(2026, 2, 2, 13, 30, tzinfo=ALMATY).astimezone(UTC)
    first = agenda.slots_on(date(2026, 2, 2))[1]
    assert [errand.slot for errand in agenda.due(first.start) if errand.slot] == ["2026-02-02/2"]
    left = agenda.left(noon, END)
    assert left.slots_count == 4 * 20 - 2
    assert left.school_s == 20 * 11 * 3_600.0 - 5.5 * 3_600.0


def test_nothing_is_left_at_the_end() -> None:
    assert _agenda().left(END, END).slots_count == 0
    assert _agenda().left(END + timedelta(hours=1), END).school_s == 0.0


def test_a_slot_may_be_put_off_until_two_minutes_before_its_end_and_no_tick_may() -> None:
    agenda = _agenda()
    slot = agenda.slots_on(date(2026, 2, 2))[0]
    errands = agenda.due(slot.start)
    for errand in errands:
        if errand.trigger is Trigger.SLOT:
            assert errand.latest_at == slot.end - timedelta(seconds=120)
        else:
            assert errand.latest_at is None
            assert errand.tick is not None
    assert any(errand.trigger is Trigger.SLOT for errand in errands)
