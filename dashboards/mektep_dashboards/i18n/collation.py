"""Sorting and finding names in Kazakh, Russian and Latin letters.

Code points put Kazakh's own letters after я; this key puts each where the Kazakh alphabet has it, which holds the
Russian one in its own order. Searching forgives what a Russian keyboard cannot type.
"""

import re
from unicodedata import combining, normalize

_ALPHABET = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"
_PLACES = {letter: place for place, letter in enumerate(_ALPHABET)}
_NUMBER = re.compile(r"(\d+)")
_LATIN, _CYRILLIC, _OTHER = 1, 2, 3
_FOLDED = str.maketrans("әғқңөұүһіё", "агкноуухие")


def sorting_key(name: str) -> tuple[object, ...]:
    """Return what to sort names by: numbers by value, then Latin letters, then the Kazakh alphabet."""
    words = re.sub(r"[^\w\d]+", " ", name.casefold()).strip()
    key: list[tuple[int, int, int]] = []
    for part in _NUMBER.split(words):
        if part.isdecimal():
            key.append((0, int(part[:300]), 0))
        else:
            key.extend(_letter(letter) for letter in part)
    return (tuple(key), name)


def searching_form(text: str) -> str:
    """Return text as it is compared in a search: lower case, Kazakh letters as a Russian keyboard types them."""
    folded = text.casefold().translate(_FOLDED)
    plain = "".join(letter for letter in normalize("NFKD", folded) if not combining(letter))
    return " ".join(plain.split())


def _letter(letter: str) -> tuple[int, int, int]:
    if letter in _PLACES:
        return (_CYRILLIC, _PLACES[letter], 0)
    if letter.isascii():
        return (_LATIN, ord(letter), 0)
    return (_OTHER, ord(letter), 0)
