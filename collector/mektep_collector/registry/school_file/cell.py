"""One cell each: its text becomes a value, or a ValueError that says what is wrong and what to write instead."""

import difflib
import re
import unicodedata
from datetime import date
from zoneinfo import ZoneInfo

from mektep_collector.registry.records import Technology
from mektep_collector.registry.regions import FORMER_REGIONS, REGIONS

_SCHOOL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SPOILED_NUMBER = re.compile(r"\d([.,]\d+)?[Ee]\+\d+")
_GROUPED = re.compile(r"\d{1,3}([ \u00a0\u202f]\d{3})+")
_GROUPING = re.compile(r"[ \u00a0\u202f]")
_WHOLE = re.compile(r"\d{1,9}")
_DECIMAL = re.compile(r"\d{1,6}(\.\d{1,6})?")
_AMBIGUOUS = re.compile(r"\d{1,3},\d{3}")
_ISO_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")
_LOCAL_DATE = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
_MOST_PUPILS = 20_000
_MOST_MBPS = 100_000.0
_EARLIEST = date(1995, 1, 1)


def school_id(text: str) -> str:
    """Read an id as text: its leading zeros belong to it."""
    if _SPOILED_NUMBER.fullmatch(text):
        raise ValueError(
            f"{text!r} is what a spreadsheet makes of a long number; format the column as text and enter the id again"
        )
    if not _SCHOOL_ID.fullmatch(text):
        raise ValueError(f"{text!r} is no id: up to 64 Latin letters, digits, and . _ - between them")
    return text


def label(text: str, most_length: int) -> str:
    """Read a name."""
    text = unicodedata.normalize("NFC", text)
    if len(text) > most_length:
        raise ValueError(f"it has {len(text)} characters; the most is {most_length}")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text):
        raise ValueError("it holds a line break or another control character; write it on one line")
    return text


def region(text: str) -> str:
    """Read a region's ISO 3166-2 code."""
    code = text.upper()
    if code in REGIONS:
        return code
    if code in FORMER_REGIONS:
        heirs = " or ".join(f"{heir} ({REGIONS[heir]})" for heir in FORMER_REGIONS[code])
        raise ValueError(f"{text!r} is the code from before June 2022; it is {heirs} now")
    if f"KZ-{code}" in REGIONS:
        raise ValueError(f"{text!r} is no code by ISO 3166-2; write KZ-{code}")
    named = [known for known, name in REGIONS.items() if name.casefold().startswith(text.casefold())]
    hint = " or ".join(f"{known} ({REGIONS[known]})" for known in named) or "such as KZ-61 for Turkistan"
    raise ValueError(f"{text!r} is no region; write its code by ISO 3166-2: {hint}")


def time_zone(text: str) -> str:
    """Read a name of the tz database."""
    if not _ZONE.fullmatch(text) or not _zone_exists(text):
        raise ValueError(f"{text!r} is no time zone of the tz database; write a name such as Asia/Almaty")
    return text


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def people_count(text: str) -> int:
    """Read a number of people: whole, above zero, thousands may be set apart by a space."""
    if _GROUPED.fullmatch(text):
        text = _GROUPING.sub("", text)
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is no whole number; write digits alone, such as 526")
    if not 1 <= int(text) <= _MOST_PUPILS:
        raise ValueError(f"{text} is not between 1 and {_MOST_PUPILS}; leave the cell empty where it is not known")
    return int(text)


def rate_mbps(text: str) -> float:
    """Read a rate in Mbit/s: above zero, with a decimal point or comma."""
    if _AMBIGUOUS.fullmatch(text):
        raise ValueError(f"{text!r} can be read in two ways; write {text.replace(',', '.')} or {text.replace(',', '')}")
    number = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    if not _DECIMAL.fullmatch(number):
        raise ValueError(f"{text!r} is no number of Mbit/s; write digits with at most one point, such as 20 or 8.5")
    if not 0.0 < float(number) <= _MOST_MBPS:
        raise ValueError(
            f"{text} Mbit/s is not above 0 and up to {_MOST_MBPS:.0f}; leave the cell empty where it is not known"
        )
    return float(number)


def day(text: str) -> date:
    """Read a day: 2026-09-01 or 01.09.2026."""
    match = _ISO_DATE.fullmatch(text) or _LOCAL_DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no date; write it as 2026-09-01 or 01.09.2026")
    try:
        found = date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise ValueError(f"{text!r} is no day of the calendar") from None
    if found < _EARLIEST:
        raise ValueError(f"{text!r} is before {_EARLIEST.year}; no contract is that old")
    return found


def technology(text: str) -> Technology:
    """Read how the line reaches the school."""
    try:
        return Technology(text.casefold())
    except ValueError:
        known = [one.value for one in Technology]
        nearest = difflib.get_close_matches(text.casefold(), known, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"write one of {', '.join(known)}"
        raise ValueError(f"{text!r} is no technology that is known here; {hint}") from None
