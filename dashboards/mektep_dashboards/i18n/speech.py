"""Everything that is said in one language: messages, numbers with their units, dates."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from gettext import GNUTranslations
from types import MappingProxyType
from zoneinfo import ZoneInfo

from babel import Locale

from mektep_dashboards.i18n import moments, numbers
from mektep_dashboards.i18n.catalogue import translations
from mektep_dashboards.i18n.language import Language

_LOCALES = {Language.KK: "kk_KZ", Language.RU: "ru_RU", Language.EN: "en_GB"}
_NO_BREAK = "\u00a0"
_MEGA = 1_000_000
_GIGA = 1_000_000_000


class Speech:
    """One language. It reads its catalogue once; a reader's page asks it for every word and number."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.locale = Locale.parse(_LOCALES[language])
        self.messages: GNUTranslations = translations(language)

    def gettext(self, message: str) -> str:
        """Return a message in this language."""
        return self.messages.gettext(message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return the form of a message that belongs to a whole number; fill the number in with `count`."""
        return self.messages.ngettext(one, many, count)

    def number(self, value: float) -> str:
        """Return a whole number with group marks."""
        return numbers.decimal(value, 0, self.locale)

    def axis_number(self, value: float, digits: int) -> str:
        """Return a tick's number; all ticks of an axis have the same count of decimals."""
        return numbers.decimal(value, digits, self.locale)

    def speed(self, value_mbps: float, bounds: Iterable[float | None] = ()) -> str:
        """Return a measured speed in Mbit/s without its unit, so precise that it shows its side of each bound."""
        known = [bound for bound in bounds if bound is not None]
        digits = numbers.digits_that_tell(value_mbps, known, 1 if value_mbps < 99.95 else 0)
        return numbers.decimal(value_mbps, digits, self.locale)

    def mbps(self, value_mbps: float, bounds: Iterable[float | None] = ()) -> str:
        """Return a measured speed with its unit."""
        return self._with_unit(self.speed(value_mbps, bounds), self.gettext("Mbit/s"))

    def bound(self, value_mbps: float) -> str:
        """Return a norm or a contracted speed in Mbit/s without its unit, not rounded."""
        return numbers.exact(value_mbps, self.locale)

    def bound_mbps(self, value_mbps: float) -> str:
        """Return a norm or a contracted speed with its unit, not rounded."""
        return self._with_unit(numbers.exact(value_mbps, self.locale), self.gettext("Mbit/s"))

    def milliseconds(self, value_ms: float) -> str:
        """Return a time in milliseconds with its unit."""
        digits = 1 if value_ms < 10 else 0
        return self._with_unit(numbers.decimal(value_ms, digits, self.locale), self.gettext("ms"))

    def duration(self, seconds: float) -> str:
        """Return a length of time with its units, in seconds below a minute, in minutes below an hour."""
        whole_minutes = round(seconds / 60)
        if seconds < 60:
            return self._with_unit(self.number(seconds), self.gettext("s"))
        if whole_minutes < 60:
            return self._with_unit(self.number(whole_minutes), self.gettext("min"))
        hours, minutes = divmod(whole_minutes, 60)
        shown = self._with_unit(self.number(hours), self.gettext("h"))
        return f"{shown}{_NO_BREAK}{self._with_unit(f'{minutes:02}', self.gettext('min'))}" if minutes else shown

    def percent(self, ratio: float) -> str:
        """Return a share, 0 to 1, in percent."""
        return numbers.percent(ratio, self.locale)

    def deviation(self, ratio: float) -> str:
        """Return by what share something misses, in percent with its sign."""
        return numbers.deviation(ratio, self.locale)

    def data(self, count_bytes: int) -> str:
        """Return an amount of data in megabytes or gigabytes (10^6, 10^9 bytes)."""
        if count_bytes < _GIGA:
            digits = 1 if 0 < count_bytes < 10 * _MEGA else 0
            return self._with_unit(numbers.decimal(count_bytes / _MEGA, digits, self.locale), self.gettext("MB"))
        return self._with_unit(numbers.decimal(count_bytes / _GIGA, 1, self.locale), self.gettext("GB"))

    def day(self, moment: date | str) -> str:
        """Return day and month; text is a date in ISO 8601."""
        return moments.day(date.fromisoformat(moment) if isinstance(moment, str) else moment, self.locale)

    def full_day(self, moment: date) -> str:
        """Return the date in full."""
        return moments.full_day(moment, self.locale)

    def full_day_at(self, at: datetime, time_zone: str) -> str:
        """Return the date in full that a moment has in a time zone."""
        return moments.full_day(at.astimezone(ZoneInfo(time_zone)).date(), self.locale)

    def minute(self, at: datetime, time_zone: str) -> str:
        """Return day, month and time of day in a time zone."""
        return moments.minute(at, ZoneInfo(time_zone), self.locale)

    def full_minute(self, at: datetime, time_zone: str) -> str:
        """Return date, time of day and distance from UTC in a time zone."""
        return moments.full_minute(at, ZoneInfo(time_zone), self.locale)

    def _with_unit(self, number: str, unit: str) -> str:
        return f"{number}{_NO_BREAK}{unit}"


def all_speeches() -> Mapping[Language, Speech]:
    """Return a speech for each language, in their order."""
    return MappingProxyType({language: Speech(language) for language in Language})
