"""Log lines that machines and people read, and the watch that tells a set clock from a sleep."""

import asyncio
import json
import logging

import pytest

from mektep_agent.daemon.log import JsonLines, TextLines
from mektep_agent.daemon.watch import Watch
from tests.support.agent_time import SetTime


def _record(**extra: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"levelno": logging.INFO, "levelname": "INFO", "msg": "batch_sent", "created": 0.0})
    vars(record).update(extra)
    return record


def test_a_json_line_holds_the_event_and_what_was_said() -> None:
    line = json.loads(JsonLines().format(_record(batch_id="x", readings_count=3, slot=None)))
    assert line == {
        "at": "1970-01-01T00:00:00.000+00:00", "level": "info", "event": "batch_sent", "batch_id": "x",
        "readings_count": 3,
    }  # fmt: skip


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
def test_a_traceback_is_part_of_the_line(form: logging.Formatter) -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        line = form.format(_record(exc_info=(type(error), error, error.__traceback__)))
    assert "ZeroDivisionError: division by zero" in line
    assert "batch_sent" in line


def test_a_text_line_reads_as_words() -> None:
    assert TextLines().format(_record(readings_count=3)).endswith("batch_sent readings_count=3")


def test_the_watch_tells_a_set_clock_from_a_sleep() -> None:
    async def look() -> list[tuple[float, float]]:
        time = SetTime()
        watch = Watch(time)
        seen = [watch.look()]
        time.step_s(-3_600.0)
        seen.append(watch.look())
        time.pass_s(7_200.0)
        seen.append(watch.look())
        seen.append(watch.look())
        return seen

    still, stepped, slept, still_again = asyncio.run(look())
    assert still == still_again == (0.0, 0.0)
    assert stepped == (-3_600.0, 0.0)
    assert slept[0] == 0.0
    assert slept[1] == pytest.approx(7_200.0, abs=1.0)
