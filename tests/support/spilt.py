"""Finds secrets in what a program said, in whatever form they got there."""

import base64
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

_FEWEST_CHARACTERS = 8
"""What is shorter is found by chance, and is no secret of a program."""


def spilt(text: str, secrets: Mapping[str, bytes]) -> list[str]:
    """Return the names of the secrets that `text` holds, each with the form in which it was found."""
    folded = text.lower()
    found = set()
    for name, secret in secrets.items():
        for form, written in _forms(secret):
            assert len(written) >= _FEWEST_CHARACTERS, f"{name} is too short to be looked for as {form}"
            if written in text or (form == "hex" and written in folded):
                found.add(f"{name}, {form}")
    return sorted(found)


def _forms(secret: bytes) -> Iterator[tuple[str, str]]:
    yield "hex", secret.hex()
    yield "list of numbers", ", ".join(str(octet) for octet in secret)
    yield "bytes as Python shows them", repr(secret)[2:-1]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before_count in range(3):
            yield "base64", _inside(encode(bytes(before_count) + secret).decode("ascii"), before_count)
    yield "base32", base64.b32encode(secret).decode("ascii").rstrip("=")
    if secret.isascii():
        plain = secret.decode("ascii")
        yield "plain", plain
        yield "url-encoded", quote(plain, safe="")
        yield "url-encoded form", quote_plus(plain)
        yield "JSON", json.dumps(plain)[1:-1]


def _inside(encoded: str, before_count: int) -> str:
    """Return the characters of base64 that depend on the secret alone, wherever in a longer text it stands."""
    first = 0 if before_count == 0 else before_count + 1
    last = len(encoded.rstrip("="))
    return encoded[first : last if encoded.endswith("=") is False else last - 1]
