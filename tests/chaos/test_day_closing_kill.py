"""kill -9 while days are closed, of the collector and its closing process: each reading is there, and there once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from mektep_collector.store.embedded import ClosingProcess
from mektep_collector.store.store import Period
from mektep_wire import Metric
from tests.support.closing_under_fire import ENTRIES_COUNT, SCHOOLS, entry, open_store
from tests.support.school_device import NOON

KILL_COUNT = int(os.environ.get("MEKTEP_CHAOS_KILLS", "12"))
EVERYTHING = Period(NOON - timedelta(days=30), NOON + timedelta(days=30))
LATER = 1.3


def _killed(directory: Path, random: Random, longest_s: float) -> int:
    """Run the program, kill it at a moment drawn at random after its first step; return the last position it told."""
    command = [sys.executable, "-m", "tests.support.closing_under_fire", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline()]
        time.sleep(random.uniform(0.0, longest_s))
        os.killpg(process.pid, signal.SIGKILL)
        told += process.stdout.readlines()
    return int([line for line in told if line.strip()][-1] if told[0] else 0)


def _check(directory: Path, told_position: int) -> tuple[int, int]:
    """Say what is wrong with the store, as a failed assertion; return how many readings and closed days it holds."""
    store = open_store(directory, ClosingProcess())
    try:
        assert store.position() >= told_position
        wanted = [each for position in range(1, store.position() + 1) for each in entry(position).accepted]
        for school_id in SCHOOLS:
            found = Counter(each.reading.id for each in store.readings(school_id, EVERYTHING))
            assert found == Counter(each.reading.id for each in wanted if each.school_id == school_id)
        assert store.count() == len(wanted)
        return store.count(), store.closed_days_count()
    finally:
        store.close()


def test_killed_between_the_manifest_and_the_tables_the_file_alone_counts(tmp_path: Path) -> None:
    """The state on disk at that moment: the day has its file, and the tables still hold all of it."""
    feeding = open_store(tmp_path, ClosingProcess())
    feeding.put([entry(position) for position in range(1, 10)])
    feeding.close()
    before = (tmp_path / "recent.sqlite").read_bytes()
    closing = open_store(tmp_path, ClosingProcess())
    for day in closing.due_days(NOON + timedelta(days=9)):
        closing.close_day(day)
    closing.close()
    (tmp_path / "recent.sqlite").write_bytes(before)
    assert _check(tmp_path, 9)[0] == 180
    opened = open_store(tmp_path, ClosingProcess())
    try:
        for school_id in SCHOOLS:
            runs = opened.series(school_id, Metric.IDLE_RTT_MS, EVERYTHING)
            (days,) = [opened.days(Metric.IDLE_RTT_MS, EVERYTHING, [school_id])]
            assert len(runs) == sum(day.ok_count + day.failed_count + day.skipped_count for day in days) > 0
    finally:
        opened.close()


@pytest.mark.slow
def test_a_day_that_is_closed_is_in_one_place_whenever_the_program_is_killed(tmp_path: Path) -> None:
    random = Random(20261124)
    position = kills = readings_count = 0
    longest_s = 1.2
    while kills < KILL_COUNT and position < ENTRIES_COUNT:
        position = max(position, _killed(tmp_path, random, longest_s))
        kills += 1
        readings_count, closed_count = _check(tmp_path, position)
        if not closed_count:
            longest_s *= LATER  # where other programs have the processor, no day is closed so soon
    assert readings_count > 100
    assert closed_count > 0
    closer = ClosingProcess()
    store = open_store(tmp_path, closer)
    try:
        store.tidy()
        named = {file.name for file in (tmp_path / "days").iterdir()}
        assert len(named) == store.closed_days_count() + 1, "only days in force and their manifest stay"
    finally:
        store.close()
    print(json.dumps({"kills": kills, "readings": readings_count}))
