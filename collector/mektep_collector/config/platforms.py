"""Learning platforms as an operator lists them: a name for people, a small public page, and what it must hold.

One is written `Name=https://host/path`, or with a text that the page must hold after a space. Platforms change by
region and in mid-year, so the list is the operator's; the default is where to start from.
"""

from urllib.parse import urlsplit

import msgspec

DEFAULT_PLATFORMS = (
    "Kundelik=https://kundelik.kz/",
    "OnlineMektep=https://onlinemektep.org/",
    "Akelius=https://languages.akelius.com/",
)
MAX_PLATFORMS_COUNT = 16
_MAX_NAME_LETTERS = 80
_MAX_URL_LETTERS = 300
_MAX_TEXT_LETTERS = 200


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """One learning platform."""

    name: str
    url: str
    expected_text: str | None = None


def read_platforms(lines: tuple[str, ...]) -> tuple[Platform, ...]:
    """Return the platforms of the setting; raises ValueError that says which one is wrong, and how it reads."""
    platforms = tuple(_read(line) for line in lines)
    if len(platforms) > MAX_PLATFORMS_COUNT:
        raise ValueError(f"`platforms` holds {len(platforms)}; an agent fetches at most {MAX_PLATFORMS_COUNT} an hour")
    for what, values in (
        ("name", [platform.name for platform in platforms]),
        ("address", [platform.url for platform in platforms]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"`platforms` holds the {what} {twice[0]!r} more than once")
    return platforms


def _read(line: str) -> Platform:
    name, _, rest = (part.strip() for part in line.partition("="))
    url, _, text = rest.partition(" ")
    text = text.strip()
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and bool(parts.hostname) and (parts.port or 1) > 0 and parts.username is None
    except ValueError:
        sound = False
    if not sound or not name or len(name) > _MAX_NAME_LETTERS or len(url) > _MAX_URL_LETTERS:
        raise ValueError(
            f"`platforms` holds {line!r}; one reads Name=https://host/ or Name=https://host/ text of the page"
        )
    if len(text) > _MAX_TEXT_LETTERS:
        raise ValueError(f"`platforms`: the text for {name!r} is longer than {_MAX_TEXT_LETTERS} letters")
    return Platform(name=name, url=url, expected_text=text or None)
