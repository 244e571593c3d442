"""The language of a request: address before cookie before browser, Kazakh where nothing is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_dashboards.i18n.language import Language, choose


@pytest.mark.parametrize(
    ("asked", "cookie", "accept", "language"),
    [
        (None, None, None, Language.KK),
        ("ru", "en", "kk", Language.RU),
        (None, "en", "kk", Language.EN),
        (None, None, "ru-RU,ru;q=0.9,en;q=0.8", Language.RU),
        (None, None, "de-DE,de;q=0.9,en;q=0.3", Language.EN),
        (None, None, "en;q=0.3, ru;q=0.9", Language.RU),
        (None, None, "en;q=0", Language.KK),
        (None, None, "de, *;q=0.5", Language.KK),
        ("tlh", None, "en", Language.EN),
        ("KK_kz", None, "en", Language.KK),
        (None, None, "en;q=mostly", Language.KK),
        (None, None, "en;q=nan, ru;q=0.1", Language.RU),
    ],
)
def test_the_language_of_a_request(
    asked: str | None, cookie: str | None, accept: str | None, language: Language
) -> None:
    assert choose(asked, cookie, accept) is language


@given(st.text(), st.text(), st.text())
def test_nothing_that_a_browser_says_is_an_error(asked: str, cookie: str, accept: str) -> None:
    assert choose(asked, cookie, accept) in set(Language)
