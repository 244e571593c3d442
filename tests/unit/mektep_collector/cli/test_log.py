import json
import logging
import sys

import pytest

from mektep_collector.cli.log import JsonLine, TextLine


def record(**details: object) -> logging.LogRecord:
    made = logging.LogRecord("mektep.part", logging.WARNING, "x.py", 1, "batch_refused", None, None)
    for name, value in details.items():
        setattr(made, name, value)
    return made


def test_a_line_for_programs_is_json_with_the_events_details() -> None:
    line = json.loads(JsonLine().format(record(device_id="d", count=3)))
    assert (line["level"], line["event"], line["device_id"], line["count"]) == ("warning", "batch_refused", "d", 3)
    assert line["at"].endswith("+00:00")


def test_a_line_for_people_has_the_same_details() -> None:
    assert TextLine().format(record(device_id="d")).endswith("warning batch_refused device_id=d")


@pytest.mark.parametrize("form", [JsonLine(), TextLine()])
def test_a_defect_is_told_with_its_traceback(form: logging.Formatter) -> None:
    made = record()
    try:
        int("a defect")
    except ValueError:
        made.exc_info = sys.exc_info()
    assert "ValueError: invalid literal" in form.format(made)


def test_what_json_cannot_say_is_said_as_text() -> None:
    assert json.loads(JsonLine().format(record(odd=object)))["odd"].startswith("<class")
