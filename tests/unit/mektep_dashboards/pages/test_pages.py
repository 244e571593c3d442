"""The pages as they leave: escaped, small, in the language that was asked for, without inline style or script."""

import gzip
import re
from collections.abc import Mapping

import pytest
from fastapi import Request

from mektep_collector.access.scope import WHOLE_COUNTRY
from mektep_dashboards.i18n.language import Language
from mektep_dashboards.i18n.speech import all_speeches
from mektep_dashboards.pages import answer
from mektep_dashboards.pages.assets import read_assets
from mektep_dashboards.pages.listing import Shelf, listing, read
from mektep_dashboards.pages.rendering import Rendering, school_address
from tests.support import invented_schools as invented
from tests.support.invented_source import InventedSource, filled_memory_store

SOURCE = InventedSource(filled_memory_store())
RENDERING = Rendering(read_assets())
PAGES = ("fleet", *(school.id for school in invented.SCHOOLS))
MAX_FIRST_VIEW_BYTES = 100_000


def _page(name: str, language: Language = Language.KK, query: Mapping[str, str] | None = None) -> str:
    if name == "fleet":
        fleet = SOURCE.fleet(WHOLE_COUNTRY)
        found = listing(Shelf(fleet.rows), read(query or {}))
        return RENDERING.render("fleet.html", language, "/", query or {}, fleet=fleet, listing=found)
    return RENDERING.render(
        "school.html", language, school_address(name), {}, school=SOURCE.school(name, WHOLE_COUNTRY)
    )


def _request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw})


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_inline_style_script_or_a_foreign_address(name: str, language: Language) -> None:
    page = _page(name, language)
    assert page.startswith(f'<!doctype html>\n<html lang="{language.value}">')
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=\"/static/)", page)
    assert not re.search(r"(?:src|href|action)=\"(?!/|\?|#|https?://[^\"]*\?lang)", page)
    assert "//" not in re.sub(r"<code>.*?</code>", "", page).replace("<!--", "")


def test_names_are_escaped_wherever_they_stand() -> None:
    for name in ("fleet", invented.HOSTILE.id):
        page = _page(name)
        assert "alert(" in page
        assert "<script>alert" not in page
        assert "<b>аудан" not in page
        assert "&lt;script&gt;alert(&#39;ә&#39;)" in page


@pytest.mark.parametrize("name", PAGES)
def test_the_first_view_is_small(name: str) -> None:
    assets = sum(len(gzip.compress(asset.body)) for asset in read_assets().values())
    assert len(gzip.compress(_page(name).encode())) + assets < MAX_FIRST_VIEW_BYTES


def test_failures_are_told_in_the_readers_language() -> None:
    assert "мешает страница входа в сеть" in _page(invented.FAILING.id, Language.RU)
    assert "желінің кіру беті кедергі болып тұр" in _page("fleet", Language.KK)


def test_a_school_without_a_value_is_never_shown_with_zero() -> None:
    for language in Language:
        page = _page(invented.FAILING.id, language)
        assert not re.search(r"(?<![\d.,])0(?:[.,]0+)?\u00a0(?:Mbit|Мбит)", page)


def test_a_new_school_says_what_is_due() -> None:
    assert "no computer of this school is enrolled" in _page(invented.NEW.id, Language.EN)
    assert f"mektep-collector code new {invented.NEW.id}" in _page(invented.NEW.id, Language.EN)


@pytest.mark.parametrize(
    ("language", "mark", "count"),
    [
        (Language.KK, "Үлгіленген деректер", "Барлық мектеп: 8, оның үлгіленгені: 1"),
        (Language.RU, "Смоделированные данные", "Смоделированные школы: 1 из 8"),
        (Language.EN, "Simulated data", "Simulated schools: 1 of 8"),
    ],
)
def test_simulated_data_is_marked_on_both_pages_and_beside_the_countrys_counts(
    language: Language, mark: str, count: str
) -> None:
    fleet = _page("fleet", language)
    assert fleet.count(mark) == 1
    assert count in fleet[: fleet.index('<ul class="tiles">')]
    assert mark in _page(invented.SIMULATED.id, language)
    assert mark not in _page(invented.MET.id, language)


def test_a_list_without_simulated_schools_says_nothing_of_them() -> None:
    assert "Simulated" not in _page("fleet", Language.EN, {"region": "KZ-33"})


def test_switching_the_language_keeps_the_question() -> None:
    page = _page("fleet", Language.KK, {"region": "KZ-61", "sort": "download"})
    assert 'href="/?region=KZ-61&amp;sort=download&amp;lang=ru"' in page


def test_a_number_that_no_school_has_is_said_back_escaped() -> None:
    page = RENDERING.render("unknown.html", Language.EN, "/schools/x", {}, school_id="<i>12</i>")
    assert "&lt;i&gt;12&lt;/i&gt;" in page
    assert "School not found" in page


def test_ids_with_any_characters_have_an_address() -> None:
    assert school_address("а/б?#") == "/schools/%D0%B0%2F%D0%B1%3F%23"


def test_an_unchanged_page_is_not_sent_twice() -> None:
    first = answer.page(_request(), "x" * 1_000)
    again = answer.page(_request(if_none_match=first.headers["etag"]), "x" * 1_000)
    assert (first.status_code, again.status_code, again.body) == (200, 304, b"")
    assert answer.page(_request(if_none_match=first.headers["etag"]), "y" * 1_000).status_code == 200


def test_pages_are_compressed_only_for_who_asks() -> None:
    text = "мектеп " * 500
    packed = answer.page(_request(accept_encoding="br, gzip;q=1.0"), text)
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(packed.body)).decode() == text
    assert "content-encoding" not in answer.page(_request(), text).headers


def test_an_assets_address_changes_with_its_content() -> None:
    for name, asset in read_assets().items():
        stem, suffix = name.rsplit(".", 1)
        assert re.fullmatch(rf"/static/{stem}\.[0-9a-f]{{12}}\.{suffix}", asset.address)
    assert "immutable" in answer.lasting(_request(), b"x", "text/css").headers["cache-control"]


@pytest.mark.parametrize("language", Language)
def test_each_platform_shows_its_state_its_shares_and_their_n(language: Language) -> None:
    page = _page(invented.MET.id, language)
    say = all_speeches()[language]
    document = SOURCE.school(invented.MET.id, WHOLE_COUNTRY)
    assert document is not None
    assert [row.name for row in document.platforms] == ["Kundelik", "OnlineMektep", "Akelius"]
    kundelik = document.platforms[0]
    assert kundelik.availability.platform_down_count > 0
    assert kundelik.availability.ratio is not None
    share, count = say.percent(kundelik.availability.ratio), kundelik.availability.judged_count
    assert f"{share}<small>n&nbsp;=&nbsp;{count}</small>" in page
    assert say.gettext("Its own availability") in page
    assert all(row.name in page for row in document.platforms)


@pytest.mark.parametrize(
    ("language", "lesson"),
    [
        (Language.KK, "OnlineMektep сабағын көру"),
        (Language.RU, "Смотреть урок OnlineMektep"),
        (Language.EN, "Watch an OnlineMektep lesson"),
    ],
)
def test_a_lesson_says_for_how_many_what_limits_and_what_it_rests_on(language: Language, lesson: str) -> None:
    page = _page(invented.MET.id, language)
    say = all_speeches()[language]
    document = SOURCE.school(invented.MET.id, WHOLE_COUNTRY)
    assert document is not None
    count = document.lessons[0].readiness.pupils_count
    assert count is not None
    card = page[page.index(lesson) :][:4_000]
    assert f'<span class="number">{say.number(count)}</span>' in card
    assert say.gettext("The download speed is the limit") in card
    assert "ITU-T G.1010" in card
    assert "n&nbsp;=&nbsp;" in card


def test_a_school_whose_platforms_nobody_looked_at_shows_no_count() -> None:
    document = SOURCE.school(invented.BELOW.id, WHOLE_COUNTRY)
    assert document is not None
    assert {lesson.readiness.pupils_count for lesson in document.lessons} == {None}
    assert "Not measured lately: the platform's state" in _page(invented.BELOW.id, Language.EN)
