"""The two pages in a real Chromium, from a real uvicorn over a real embedded store, under the real headers."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from mektep_collector.api.door import OpenDoor
from mektep_collector.api.entrance import Entrance
from mektep_collector.api.security_headers import SecurityHeaders
from mektep_collector.journal.entry import Entry
from mektep_collector.store.embedded import EmbeddedStore
from mektep_dashboards.pages import create_pages
from mektep_wire import FailureKind
from tests.support import invented_schools as invented
from tests.support.browser import Visit, chromium, served
from tests.support.invented_source import InventedSource, zone_of

pytestmark = pytest.mark.peer

LANGUAGES = ("kk", "ru", "en")
ADDRESSES = {
    "fleet": "/",
    "met": f"/schools/{invented.MET.id}",
    "below": f"/schools/{invented.BELOW.id}",
    "failing": f"/schools/{invented.FAILING.id}",
    "hostile": f"/schools/{invented.HOSTILE.id}",
    "new": f"/schools/{invented.NEW.id}",
}
FAILURE = {
    "kk": "желінің кіру беті кедергі болып тұр",
    "ru": "мешает страница входа в сеть",
    "en": "a login page of the network stands in the way",
}
MAX_FIRST_VIEW_BYTES = 100_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    opened = EmbeddedStore(tmp_path_factory.mktemp("store"), zone_of)
    opened.put(invented.entries())
    yield opened
    opened.close()


def _app(store: EmbeddedStore) -> FastAPI:
    app = FastAPI()
    app.include_router(create_pages(InventedSource(store), OpenDoor()))
    app.add_middleware(Entrance, door=OpenDoor())
    app.add_middleware(SecurityHeaders)
    return app


@pytest.fixture(scope="module")
def home(store: EmbeddedStore) -> Iterator[str]:
    with served(_app(store)) as address:
        yield address


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_works_in_every_language(browser: Browser, home: str, language: str, scripts: bool) -> None:
    with browser.new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 900}) as context:
        for name, address in ADDRESSES.items():
            visit = Visit(context, home)
            assert visit.open(f"{address}?lang={language}") == 200, name
            expect(visit.page.locator("html")).to_have_attribute("lang", language)
            expect(visit.page.locator("h1")).to_be_visible()
            assert visit.troubles == [], name
            assert visit.transferred_bytes < MAX_FIRST_VIEW_BYTES, name
            visit.page.close()


def test_no_page_needs_to_be_scrolled_sideways(browser: Browser, home: str) -> None:
    with browser.new_context() as context:
        visit = Visit(context, home)
        for language in LANGUAGES:
            for name, address in ADDRESSES.items():
                visit.open(f"{address}?lang={language}")
                for width in (360, 768, 1280, 1920):
                    visit.page.set_viewport_size({"width": width, "height": 800})
                    wide = visit.page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, f"{name} in {language} is {wide} wide on a screen of {width}"


def test_a_dark_screen_gets_a_dark_page(browser: Browser, home: str) -> None:
    with browser.new_context(color_scheme="dark") as context:
        visit = Visit(context, home)
        visit.open("/")
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 21, 25)"


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", LANGUAGES)
def test_failures_are_seen_as_failures(browser: Browser, home: str, language: str, width: int) -> None:
    with browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 900}) as context:
        visit = Visit(context, home)
        visit.open(f"{ADDRESSES['failing']}?lang={language}")
        chart = visit.page.locator("svg.chart:visible").first
        expect(chart.locator("path.run-failed")).to_have_count(12)
        expect(chart.locator("circle.run")).to_have_count(0)
        expect(visit.page.locator(".kinds")).to_have_text(re.compile(f"^\\s*24 {FAILURE[language]}\\s*$"))
        expect(visit.page.locator(".kinds")).to_be_visible()
        visit.page.locator("summary", has_text="24").click()
        expect(visit.page.locator("table.runs:visible tbody tr")).to_have_count(24)
        visit.open(f"/?lang={language}")
        row = visit.page.locator("tr", has=visit.page.locator(f"a[href='{ADDRESSES['failing']}']"))
        expect(row.locator("b.failed")).to_be_visible()
        expect(row).to_contain_text(FAILURE[language])


def test_the_list_is_searched_filtered_and_sorted_without_scripts(browser: Browser, home: str) -> None:
    with browser.new_context(java_script_enabled=False, locale="ru-RU") as context:
        visit = Visit(context, home)
        visit.open("/")
        expect(visit.page.locator("html")).to_have_attribute("lang", "ru")
        visit.page.locator("input[name=q]").fill("гылым")
        visit.page.locator("form button").click()
        expect(visit.page.locator("tbody tr")).to_have_count(1)
        visit.open("/")
        visit.page.locator("select[name=region]").select_option("KZ-61")
        visit.page.locator("form button").click()
        expect(visit.page.locator("tbody tr")).to_have_count(2)
        assert "region=KZ-61" in visit.page.url
        visit.open("/")
        visit.page.locator("thead a[href*='sort=download']").click()
        expect(visit.page.locator("tbody tr").first).to_contain_text("93,7")
        expect(visit.page.locator("th[aria-sort=descending]")).to_have_count(1)
        assert visit.troubles == []


def test_a_chosen_filter_takes_effect_at_once_with_scripts(browser: Browser, home: str) -> None:
    with browser.new_context() as context:
        visit = Visit(context, home)
        visit.open("/?lang=en")
        visit.page.locator("select[name=region]").select_option("KZ-33")
        expect(visit.page.locator("tbody tr")).to_have_count(1)
        assert visit.troubles == []


def test_a_chosen_language_stays(browser: Browser, home: str) -> None:
    with browser.new_context(locale="en-GB") as context:
        visit = Visit(context, home)
        visit.open("/")
        expect(visit.page.locator("html")).to_have_attribute("lang", "en")
        visit.page.locator(".languages a[hreflang=kk]").click()
        visit.page.locator("tbody a").first.click()
        expect(visit.page.locator("html")).to_have_attribute("lang", "kk")


def test_the_mark_under_the_pointer_says_its_value(browser: Browser, home: str) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        visit = Visit(context, home)
        visit.open(f"{ADDRESSES['failing']}?lang=en")
        visit.page.locator("svg.chart:visible path.run-failed").first.hover()
        expect(visit.page.locator(".readout:visible")).to_contain_text(FAILURE["en"])
        assert visit.troubles == []


def test_names_that_look_like_markup_stay_names(browser: Browser, home: str) -> None:
    with browser.new_context() as context:
        visit = Visit(context, home)
        visit.page.on("dialog", lambda dialog: visit.troubles.append(dialog.message))
        visit.open(ADDRESSES["hostile"])
        expect(visit.page.locator("h1")).to_have_text(invented.HOSTILE.name.strip())
        visit.open("/?q=%3Cscript%3Ealert(1)%3C/script%3E")
        expect(visit.page.locator("input[name=q]")).to_have_value("<script>alert(1)</script>")
        assert visit.troubles == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_school_has_a_page_that_leads_on(browser: Browser, home: str, language: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        visit = Visit(context, home)
        assert visit.open(f"/schools/7%2F?lang={language}") == 404
        expect(visit.page.locator("h1")).to_be_visible()
        visit.page.locator("main a[href='/']").click()
        expect(visit.page.locator("tbody tr")).to_have_count(len(invented.SCHOOLS))


def test_a_page_that_waits_for_its_first_test_shows_it_by_itself(browser: Browser, tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, zone_of)
    month = invented.Month(invented.MET, 11)
    with served(_app(store)) as home, browser.new_context() as context:
        visit = Visit(context, home)
        visit.page.clock.install()
        visit.open(f"{ADDRESSES['met']}?lang=en")
        expect(visit.page.locator(".empty h2")).to_contain_text("the first test is due")
        first = list(month.throughput(invented.NOW - timedelta(seconds=9), 41.2, 38.7, FailureKind.TIMEOUT))
        store.put([Entry(position=1, received_at=invented.NOW, accepted=first)])
        visit.page.clock.run_for(5_000)
        expect(visit.page.locator(".card .big").first).to_contain_text("41.2")
        assert visit.troubles == []
    store.close()
