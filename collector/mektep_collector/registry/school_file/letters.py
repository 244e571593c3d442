"""Latin letters that stand in Cyrillic words by mistake: they look right, and neither search nor sorting finds them."""

import re

_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_TWINS = {"i": "\u0456", "I": "\u0406", "h": "\u04bb"}
"""Kazakh letters that a Russian keyboard lacks. A capital Latin H stays: it may stand for another Cyrillic letter."""


def mend_letters(text: str) -> str:
    """Return `text` with Latin i and h inside Cyrillic words turned into the Kazakh letters that they look like.

    A word with other Latin letters in it is left as it is.
    """
    return _WORD.sub(_mended, text)


def _mended(match: re.Match[str]) -> str:
    word = match[0]
    if not _CYRILLIC.search(word) or not set(_LATIN.findall(word)) <= _TWINS.keys():
        return word
    return "".join(_TWINS.get(letter, letter) for letter in word)
