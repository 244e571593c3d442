"""Days with school, counted back from a day: Monday to Friday."""

from datetime import date, timedelta

_SATURDAY = 5


def days_before(day: date, school_days_count: int) -> date:
    """Return the day from which on there were so many school days before `day`."""
    while school_days_count:
        day -= timedelta(days=1)
        school_days_count -= day.weekday() < _SATURDAY
    return day
