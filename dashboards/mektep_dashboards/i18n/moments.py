"""Dates and times as each language writes them, in a school's own time zone."""

from datetime import date, datetime, tzinfo
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_skeleton

_NARROW_SPACE = "\u202f"
_SPACE = "\u00a0"


@lru_cache(maxsize=4_096)  # a page writes thousands of moments of thirty days
def day(moment: date, locale: Locale) -> str:
    """Return day and month, short: "22 қар."."""
    return _joined(format_skeleton("MMMd", moment, locale=locale))


def full_day(moment: date, locale: Locale) -> str:
    """Return the date in full: "2026 ж. 22 қараша"."""
    return _joined(format_date(moment, "long", locale=locale))


def minute(at: datetime, zone: tzinfo, locale: Locale) -> str:
    """Return day, month and the time of day by 24 hours in the zone: "22 қар., 09:05"."""
    local = at.astimezone(zone)
    return f"{day(local.date(), locale)}, {local:%H:%M}"


def full_minute(at: datetime, zone: tzinfo, locale: Locale) -> str:
    """Return the date in full, the time of day, and the zone's distance from UTC: for a report that is kept."""
    local = at.astimezone(zone)
    offset = local.strftime("%z")
    distance = f"UTC{offset[:3]}" + (f":{offset[3:5]}" if offset[3:5] != "00" else "")
    return f"{full_day(local.date(), locale)}, {local:%H:%M} ({distance})"


def _joined(text: str) -> str:
    # old fonts on school computers lack the narrow no-break space
    return text.replace(_NARROW_SPACE, _SPACE).replace(" ", _SPACE)
