"""The browser's own test in a real Chromium and from a real measuring server: three languages, a phone's width."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from mektep_collector.cli.browser_test import BrowserTestPages
from tests.support.browser import chromium
from tests.support.running_measure_server import RunningServer, measure_server

pytestmark = pytest.mark.peer

START = {"kk": "Тестті бастау", "ru": "Начать тест", "en": "Start the test"}
WIDTH_PX = 360
SECONDS = "1.5"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with measure_server(pages=BrowserTestPages()) as running:
        yield running


def _open(browser: Browser, server: RunningServer, language: str, script: str = "") -> tuple[Page, list[str]]:
    context = browser.new_context(viewport={"width": WIDTH_PX, "height": 780}, locale=language)
    page = context.new_page()
    page.set_default_timeout(20_000)
    troubles: list[str] = []
    page.on("console", lambda said: troubles.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    home = f"http://127.0.0.1:{server.ready.ndt7_port}"
    page.on("request", lambda asked: None if asked.url.startswith(home) else troubles.append(asked.url))
    if script:
        page.add_init_script(script)
    page.goto(f"{home}/")
    page.evaluate("seconds => { document.getElementById('measure').dataset.seconds = seconds }", SECONDS)
    return page, troubles


def _measured(page: Page) -> list[str]:
    page.get_by_role("button").click()
    expect(page.locator("#measure")).to_have_attribute("data-ended", "done", timeout=20_000)
    return [value.inner_text() for value in page.locator(".measure-value").all()]


@pytest.mark.parametrize("language", START)
def test_a_browser_measures_itself_in_each_language_without_going_sideways(
    browser: Browser, server: RunningServer, language: str
) -> None:
    page, troubles = _open(browser, server, language)
    assert page.url.endswith("/test")
    expect(page.get_by_role("button")).to_have_text(START[language])
    download, upload, latency = _measured(page)
    decimal = "." if language == "en" else ","
    assert decimal in latency or float(latency) >= 100
    assert float(latency.replace(decimal, ".")) > 0
    assert float(download.replace(decimal, ".")) > 1
    assert float(upload.replace(decimal, ".")) > 1
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH_PX
    assert "NDT7" in page.locator("#measure-way").inner_text()
    assert troubles == []
    page.context.close()


def test_where_no_websocket_comes_through_plain_http_measures(browser: Browser, server: RunningServer) -> None:
    fresh = server.fresh()
    page, troubles = _open(browser, server, "en", "delete window.WebSocket")
    assert all(value != "–" for value in _measured(page))
    assert "HTTP" in page.locator("#measure-way").inner_text()
    assert fresh.count("mektep_measure_web_payload_bytes_total", direction="download") > 1e6
    assert fresh.count("mektep_measure_web_payload_bytes_total", direction="upload") > 1e5
    assert troubles == []
    page.context.close()


def test_a_server_that_goes_away_is_told_and_gives_no_number(browser: Browser) -> None:
    with measure_server(pages=BrowserTestPages()) as gone:
        page, _ = _open(browser, gone, "en")
    page.get_by_role("button").click()
    expect(page.locator("#measure")).to_have_attribute("data-ended", "failed", timeout=20_000)
    expect(page.get_by_role("status")).to_contain_text("Try again")
    assert page.locator("#measure-download .measure-value").inner_text() == "–"
    page.context.close()
