"""Logging in by an OpenID provider of another site, in a real Chromium under the real headers, in three languages."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect

from mektep_collector.access.role import Role
from mektep_collector.access.scope import WHOLE_COUNTRY
from mektep_collector.clock import SystemTime
from mektep_dashboards.pages import create_pages
from tests.support import invented_schools as invented
from tests.support.browser import chromium
from tests.support.invented_source import InventedSource, filled_memory_store
from tests.support.oidc_site import OidcSite, oidc_site, people_door
from tests.support.openid_provider import OpenIdProvider, openid_provider
from tests.support.school_table import registry_with
from tests.support.set_time import SetTime

pytestmark = pytest.mark.peer

LOGIN = "aigerim@edu.example"
LINKS = {"kk": "Кіру тәсілі: Bilim ID", "ru": "Войти через: Bilim ID", "en": "Log in with: Bilim ID"}
UNKNOWN = {"kk": "рұқсат берілмеген", "ru": "вход не открыт", "en": "nobody with your e-mail address"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with openid_provider(SystemTime()) as running:
        running.issuer = running.issuer.replace("127.0.0.1", "localhost")  # another site than 127.0.0.1
        yield running


@pytest.fixture(scope="module")
def site(provider: OpenIdProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcSite]:
    with registry_with(tmp_path_factory.mktemp("registry"), SetTime(datetime.now(UTC))) as registry:
        registry.people.add(LOGIN, Role.VIEWER, WHOLE_COUNTRY, None)
        door = people_door(registry, SystemTime())
        pages = create_pages(InventedSource(filled_memory_store()), door)
        with oidc_site(registry, SystemTime(), provider.issuer, door, [pages]) as served:
            yield served


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("language", LINKS)
def test_somebody_logs_in_there_and_comes_to_the_page_that_was_asked_for(
    browser: Browser, site: OidcSite, provider: OpenIdProvider, language: str, scripts: bool
) -> None:
    provider.claims["email"] = LOGIN
    with browser.new_context(java_script_enabled=scripts, viewport={"width": 360, "height": 740}) as context:
        page, troubles = context.new_page(), list[str]()
        page.on("console", lambda message: troubles.append(message.text))
        page.goto(f"{site.address}/schools/{invented.MET.id}?lang={language}")
        link = page.locator("a.button")
        expect(link).to_have_text(LINKS[language])
        box = link.bounding_box()
        assert box is not None
        assert (box["height"] >= 44, box["x"] + box["width"] <= 360) == (True, True)
        link.click()
        page.get_by_role("button", name="I am Aigerim").click()
        expect(page.locator("h1")).to_contain_text(invented.MET.name)
        expect(page.locator(".who span")).to_have_text(LOGIN)
        assert page.url == f"{site.address}/schools/{invented.MET.id}?lang={language}", "no code stays in the address"
        assert [text for text in troubles if "favicon" not in text and "404" not in text] == []
        cookies = {cookie["name"]: cookie for cookie in context.cookies()}
        assert "mektep_oidc" not in cookies
        assert (cookies["mektep_session"]["httpOnly"], cookies["mektep_session"]["sameSite"]) == (True, "Lax")


@pytest.mark.parametrize("language", UNKNOWN)
def test_who_is_not_let_in_is_told_so_and_may_try_another_way(
    browser: Browser, site: OidcSite, provider: OpenIdProvider, language: str
) -> None:
    provider.claims["email"] = "stranger@edu.example"
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.address}/login?lang={language}")
        page.locator("a.button").click()
        page.get_by_role("button", name="I am Aigerim").click()
        expect(page.locator("[role=alert]")).to_contain_text(UNKNOWN[language])
        expect(page.locator("input[name=login]")).to_be_visible()
        expect(page.locator("a.button")).to_have_text(LINKS[language])
