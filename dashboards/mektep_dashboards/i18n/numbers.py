"""Numbers as each language writes them, from CLDR. Units that CLDR lacks are messages of ours."""

from collections.abc import Iterable
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern, format_decimal, format_percent, parse_pattern

_MOST_DIGITS = 4


def digits_that_tell(value: float, bounds: Iterable[float], least: int) -> int:
    """Return how many decimals make a rounded value stand to each bound as the exact one does, `least` at least.

    So 19.96 beside a norm of 20 is not shown as "20.0, below the norm". Beyond four decimals it gives in.
    """
    bounds = list(bounds)
    for digits in range(least, _MOST_DIGITS):
        shown = round(value, digits)
        if all((shown < bound, shown > bound) == (value < bound, value > bound) for bound in bounds):
            return digits
        if shown == value:
            return digits
    return _MOST_DIGITS


def decimal(value: float, digits: int, locale: Locale) -> str:
    """Return a number with exactly `digits` decimals and no-break group marks."""
    # rounded here as well, so that what is shown is what `digits_that_tell` looked at
    pattern = _pattern("#,##0" + ("." + "0" * digits if digits else ""))
    return format_decimal(round(value, digits), format=pattern, locale=locale)


def exact(value: float, locale: Locale) -> str:
    """Return a bound such as a norm: up to two decimals, none that say nothing."""
    return format_decimal(value, format=_pattern("#,##0.##"), locale=locale)


def deviation(ratio: float, locale: Locale) -> str:
    """Return by what share something misses, in percent with one decimal, with its sign where it shows one."""
    shown = round(ratio, 3)
    pattern = locale.percent_formats[None].pattern.replace("#,##0", "#,##0.0")
    return format_percent(shown or 0.0, format=f"+{pattern};-{pattern}" if shown else pattern, locale=locale)


def percent(ratio: float, locale: Locale) -> str:
    """Return a share in percent, with the language's own sign and space; less than all is never shown as 100 %."""
    digits = max(digits_that_tell(ratio * 100, (0.0, 100.0), 1), 1)
    pattern = locale.percent_formats[None].pattern.replace("#,##0", "#,##0." + "#" * digits)
    return format_percent(ratio, format=pattern, locale=locale)


@lru_cache(maxsize=64)  # reading a pattern takes as long as writing a number by it
def _pattern(text: str) -> NumberPattern:
    return parse_pattern(text)
