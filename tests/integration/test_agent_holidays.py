"""Public holidays from the real library, in the process of its own that the daemon starts."""

import asyncio
import random
from datetime import date
from pathlib import Path

import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.schedule.public_holidays import HolidayError, compute_table, load_table
from tests.support.school_assignment import HOLIDAYS_2026


def test_the_holidays_of_kazakhstan_are_computed_once_and_kept(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    assert load_table(folder, "KZ", 2026) is None
    table = asyncio.run(compute_table(folder, "KZ", 2026))
    assert {day for day in table.dates if day.year == 2026} == HOLIDAYS_2026
    assert date(2027, 3, 15) in table.dates
    assert load_table(folder, "KZ", 2026) == table
    assert load_table(folder, "KZ", 2027) is None, "the year after must be covered too"
    assert load_table(folder, "KG", 2026) is None


def test_a_country_without_a_calendar_is_said(tmp_path: Path) -> None:
    with pytest.raises(HolidayError, match="'XX'"):
        asyncio.run(compute_table(StateFolder(tmp_path), "XX", 2026))


def test_a_damaged_table_is_computed_again(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.holidays.write_bytes(random.Random(1).randbytes(100))
    assert load_table(folder, "KZ", 2026) is None
