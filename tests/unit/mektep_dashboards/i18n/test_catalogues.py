"""The catalogues are whole: nothing missing, fuzzy, unused, wrongly shared or with markup, in any language."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import pytest
from babel.messages.catalog import Catalog

from mektep_collector.access.elsewhere import NotLetIn
from mektep_collector.access.role import Role
from mektep_collector.registry.records import DeviceStatus, Technology
from mektep_collector.registry.regions import REGIONS
from mektep_collector.reports.build.audits import Thoroughness
from mektep_collector.sla.audit import AuditVerdict
from mektep_collector.sla.freshness import Freshness
from mektep_collector.sla.norm import NormBasis
from mektep_collector.sla.shortfall import Shortfall
from mektep_collector.sla.verdict import Verdict
from mektep_dashboards.i18n import vocabulary
from mektep_dashboards.i18n.catalogue import read_catalogue, translations
from mektep_dashboards.i18n.language import Language
from mektep_wire import Cause, CauseReason, Direction, FailureKind, Origin, OutageCause, Outcome, ProbeName, SkipReason
from tests.support.extract_messages import extracted

SAME_IN_KAZAKH_AND_RUSSIAN = {
    "Almaty", "Astana", "GB", "Login", "MB", "Mbit/s", "Median", "Norm", "Norm, Mbit/s", "Platform", "Provider",
    "Shymkent", "Test", "min", "ms", "norm", "operator", "s",
}  # fmt: skip
"""Words that Kazakh and Russian share by right. A native speaker checks each; anything else shared is a mistake."""
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
EXTRACTED = extracted()
CATALOGUES = {language: read_catalogue(language) for language in Language}
Word = TypeVar("Word", bound=str)


def _plain(words: Mapping[Word, str]) -> dict[str, str]:
    return {str(word): message for word, message in words.items()}


ENUMS: Mapping[type[StrEnum], dict[str, str]] = {
    FailureKind: _plain(vocabulary.FAILURES),
    Role: _plain(vocabulary.ROLES),
    NotLetIn: _plain(vocabulary.NOT_LET_IN),
    SkipReason: _plain(vocabulary.SKIPS),
    OutageCause: _plain(vocabulary.OUTAGE_CAUSES),
    Cause: _plain(vocabulary.CAUSES),
    CauseReason: _plain(vocabulary.CAUSE_REASONS),
    ProbeName: _plain(vocabulary.PROBES),
    Direction: _plain(vocabulary.DIRECTIONS),
    Outcome: _plain(vocabulary.OUTCOMES),
    Verdict: _plain(vocabulary.VERDICTS),
    Freshness: _plain(vocabulary.FRESHNESS),
    AuditVerdict: _plain(vocabulary.AUDIT_VERDICTS),
    Thoroughness: _plain(vocabulary.THOROUGHNESS),
    NormBasis: _plain(vocabulary.NORM_BASES),
    Technology: _plain(vocabulary.TECHNOLOGIES),
    DeviceStatus: _plain(vocabulary.DEVICE_STATES),
    Shortfall: _plain(vocabulary.SHORTFALLS),
    Origin: _plain(vocabulary.ORIGINS),
}
each_language = pytest.mark.parametrize("language", Language)


def _ids(catalogue: Catalog) -> set[object]:
    return {message.id for message in catalogue if message.id}


def _texts(string: object) -> list[str]:
    return [string] if isinstance(string, str) else [str(one) for one in string]  # type: ignore[attr-defined]


def _messages(language: Language) -> list[tuple[list[str], list[str]]]:
    return [(_texts(message.id), _texts(message.string)) for message in CATALOGUES[language] if message.id]


def test_the_extraction_finds_messages_of_code_and_of_templates() -> None:
    assert {"a login page of the network stands in the way", "Internet in schools", "Download over 30 days"} <= _ids(
        EXTRACTED
    )


@each_language
def test_no_message_is_missing_and_none_is_left_over(language: Language) -> None:
    there, wanted = _ids(CATALOGUES[language]), _ids(EXTRACTED)
    assert (wanted - there, there - wanted) == (set(), set()), "run `python -m tests.support.extract_messages`"


@each_language
def test_every_message_is_translated_in_every_form_and_none_is_fuzzy(language: Language) -> None:
    assert [ids for ids, texts in _messages(language) if not all(texts)] == []
    assert [message.id for message in CATALOGUES[language] if message.fuzzy] == []
    forms = CATALOGUES[language].num_plurals
    plurals = [texts for ids, texts in _messages(language) if len(ids) == 2]
    assert plurals
    assert {len(texts) for texts in plurals} == {forms}


def test_each_language_has_the_plural_forms_of_cldr() -> None:
    assert [CATALOGUES[language].num_plurals for language in Language] == [2, 3, 2]


@each_language
def test_no_translation_holds_markup(language: Language) -> None:
    assert [text for _, texts in _messages(language) for text in texts if re.search(r"[<>&{}]", text)] == []


@each_language
def test_every_translation_takes_the_same_values(language: Language) -> None:
    unequal = [
        (ids[0], text)
        for ids, texts in _messages(language)
        for text in texts
        if set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(ids[-1])) or text.count("%") != text.count("%(")
    ]
    assert unequal == []


def test_kazakh_and_russian_share_no_words_but_the_known_ones() -> None:
    kazakh, russian = CATALOGUES[Language.KK], CATALOGUES[Language.RU]
    shared = {message.id for message in kazakh if message.id and message.string == russian[message.id].string}
    assert shared == SAME_IN_KAZAKH_AND_RUSSIAN


@pytest.mark.parametrize("language", [Language.KK, Language.RU])
def test_nothing_is_left_in_english(language: Language) -> None:
    assert [ids for ids, texts in _messages(language) if set(ids) & set(texts)] == []


def test_english_translates_itself() -> None:
    assert [ids for ids, texts in _messages(Language.EN) if ids != texts] == []


def test_kazakh_letters_are_cyrillic_and_not_their_latin_doubles() -> None:
    mixed = re.compile(r"[a-z][а-яәғқңөұүһі]|[а-яәғқңөұүһі][a-z]", re.IGNORECASE)
    texts = [
        text for language in (Language.KK, Language.RU) for _, all_ in _messages(language) for text in all_
    ]  # fmt: skip
    assert [text for text in texts if mixed.search(PLACEHOLDER.sub(" ", text))] == []


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_every_word_of_a_closed_list_has_its_message(kind: type[StrEnum]) -> None:
    assert set(ENUMS[kind]) == set(kind)
    assert set(ENUMS[kind].values()) <= _ids(EXTRACTED)


def test_failures_are_told_apart_in_every_language() -> None:
    for language in Language:
        said = [translations(language).gettext(text) for text in vocabulary.FAILURES.values()]
        assert len(set(said)) == len(FailureKind)


def test_every_region_of_the_register_has_its_name() -> None:
    assert set(vocabulary.REGIONS) == set(REGIONS)
    assert set(vocabulary.UPLOAD_VERDICTS) == set(Verdict)


@pytest.mark.parametrize(
    ("language", "count", "text"),
    [
        (Language.KK, 1, "1 мектеп"),
        (Language.KK, 5, "5 мектеп"),
        (Language.RU, 1, "1 школа"),
        (Language.RU, 3, "3 школы"),
        (Language.RU, 11, "11 школ"),
        (Language.RU, 21, "21 школа"),
        (Language.EN, 1, "1 school"),
        (Language.EN, 2, "2 schools"),
    ],
)
def test_nouns_follow_their_numbers(language: Language, count: int, text: str) -> None:
    message = translations(language).ngettext("%(found)s school", "%(found)s schools", count)
    assert message % {"found": count} == text
