"""Logging in and out as people do it, with and without script, in three languages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from mektep_collector.access.role import Role
from mektep_collector.access.scope import Scope
from mektep_collector.api.door import PeopleDoor
from mektep_collector.api.entrance import Entrance
from mektep_collector.api.security_headers import SecurityHeaders
from mektep_collector.clock import SystemTime
from mektep_dashboards.pages import create_pages
from tests.support import invented_schools as invented
from tests.support.browser import Visit, chromium, served
from tests.support.invented_source import InventedSource, filled_memory_store
from tests.support.school_table import registry_with
from tests.support.set_time import SetTime

LOGIN, PASSWORD = "aigerim@edu.example", "river lamp seven onion"
LANGUAGES = {"kk": "Кіру", "ru": "Войти", "en": "Log in"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry_with(tmp_path_factory.mktemp("registry"), SetTime(datetime.now(UTC))) as registry:
        registry.people.add(LOGIN, Role.VIEWER, Scope(frozenset({invented.MET.region})), PASSWORD)
        door = PeopleDoor(registry.people, registry.sessions, SystemTime(), timedelta(hours=1), timedelta(days=36_500))
        app = FastAPI()
        app.include_router(create_pages(InventedSource(filled_memory_store()), door))
        app.add_middleware(Entrance, door=door)
        app.add_middleware(SecurityHeaders)
        with served(app) as address:
            yield address


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_logs_in_looks_and_leaves(browser: Browser, home: str, language: str, scripts: bool) -> None:
    with browser.new_context(java_script_enabled=scripts, viewport={"width": 360, "height": 740}) as context:
        visit = Visit(context, home)
        assert visit.open(f"/schools/{invented.MET.id}?lang={language}") == 200
        page = visit.page
        expect(page.locator("h1")).to_have_text(LANGUAGES[language])
        page.locator("input[name=login]").fill(LOGIN)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator(".login-form button").click()
        expect(page.locator("h1")).to_contain_text(invented.MET.name)
        expect(page.locator(".who span")).to_have_text(LOGIN)
        width = page.locator("body").evaluate("body => body.scrollWidth") if scripts else 360
        assert width <= 360, "nothing sticks out of a phone"
        page.locator(".who button").click()
        expect(page.locator("h1")).to_have_text(LANGUAGES[language])
        visit.open("/")
        expect(page.locator("h1")).to_have_text(LANGUAGES[language])
        assert visit.troubles == []


def test_a_wrong_password_is_said_and_the_login_stays(browser: Browser, home: str) -> None:
    with browser.new_context() as context:
        visit = Visit(context, home)
        visit.open("/login?lang=kk")
        visit.page.locator("input[name=login]").fill(LOGIN)
        visit.page.locator("input[name=password]").fill("guess")
        visit.page.locator(".login-form button").click()
        expect(visit.page.locator("[role=alert]")).to_contain_text("Сәйкес келмеді")
        expect(visit.page.locator("input[name=login]")).to_have_value(LOGIN)
        expect(visit.page.locator("input[name=password]")).to_have_value("")
