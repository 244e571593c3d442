"""The public holidays of a country, by its own rules and with the days that they are moved to."""

from collections.abc import Iterable
from datetime import date


def public_holidays(country: str, years: Iterable[int]) -> frozenset[date]:
    """Return the holidays of a country, by ISO 3166-1, in these years; of no country none.

    Raises ValueError for a country whose holidays are not known.
    """
    if not country:
        return frozenset()
    import holidays  # here: it takes a fifth of a second, and only reports need it

    try:
        return frozenset(holidays.country_holidays(country, years=sorted(set(years))))
    except NotImplementedError:
        raise ValueError(f"no public holidays are known for the country {country!r} of `holiday_country`") from None
