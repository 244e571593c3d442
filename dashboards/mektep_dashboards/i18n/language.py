"""Which language a reader gets: what the address says, else the cookie, else the browser, else Kazakh."""

from enum import StrEnum


class Language(StrEnum):
    """Languages of the pages, in the order in which they are offered."""

    KK = "kk"
    RU = "ru"
    EN = "en"


DEFAULT = Language.KK

NAMES = {Language.KK: "Қазақша", Language.RU: "Русский", Language.EN: "English"}
"""Each language in its own words, as the switch shows it."""

_MAX_RANGES = 20


def choose(asked: str | None, cookie: str | None, accept: str | None) -> Language:
    """Return the language for a request; what cannot be understood is passed over.

    `accept` is the Accept-Language header (RFC 9110, section 12.5.4).
    """
    for named in (asked, cookie):
        known = _known(named or "")
        if known is not None:
            return known
    return _preferred(accept or "") or DEFAULT


def _known(tag: str) -> Language | None:
    primary = tag.strip().lower().replace("_", "-").split("-")[0]
    return Language(primary) if primary in set(Language) else None


def _preferred(accept: str) -> Language | None:
    weighed: list[tuple[float, Language]] = []
    for part in accept.split(",")[:_MAX_RANGES]:
        tag, _, parameter = part.partition(";")
        language = _known(tag)
        if language is not None:
            weighed.append((_weight(parameter), language))
    # max keeps the first of equals: the order of the header decides among equal weights
    weight, language = max(weighed, key=lambda one: one[0], default=(0.0, DEFAULT))
    return language if weight > 0.0 else None


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
