"""/docs in a real browser: it shows every route, under the strict content policy, with nothing from elsewhere."""

from pathlib import Path

import pytest

from tests.support.browser import Visit, chromium
from tests.support.running_collector import running_collector

pytestmark = pytest.mark.peer


def test_the_interface_can_be_read(tmp_path: Path) -> None:
    with running_collector(tmp_path, "--no-measure") as collector, chromium() as browser:
        context = browser.new_context()
        visit = Visit(context, collector.url)
        visit.page.goto(collector.url + "/docs")
        visit.page.wait_for_selector(".opblock")
        assert visit.page.locator(".opblock").count() == 9
        visit.page.locator(".opblock-summary-control").first.click()
        visit.page.wait_for_selector(".opblock-body")
        context.close()
    assert visit.troubles == []
