"""Take the pictures of the documentation: real pages in a real Chromium, over data that is marked as simulated."""

import sys
from pathlib import Path

from fastapi import FastAPI

from mektep_collector.api.door import OpenDoor
from mektep_collector.api.entrance import Entrance
from mektep_collector.journal.entry import Entry
from mektep_dashboards.pages import create_pages
from mektep_wire import Origin
from tests.support import invented_schools as invented
from tests.support.browser import Visit, chromium, served
from tests.support.invented_source import InventedSource, zone_of
from tests.support.memory_store import MemoryStore

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
_WIDTH_PX, _HEIGHT_PX = 1_280, 1_250
_SHOWN = invented.SIMULATED


def main() -> None:
    """Write the pictures anew."""
    store = MemoryStore(zone_of)
    month = invented.Month(_SHOWN, 8, Origin.SIMULATED).days(33.0, 29.0, failing_ratio=0.04)
    store.put([Entry(position=1, received_at=invented.NOW, accepted=month)])
    app = FastAPI()
    app.include_router(create_pages(InventedSource(store), OpenDoor()))
    app.add_middleware(Entrance, door=OpenDoor())
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, served(app) as home:
        context = browser.new_context(viewport={"width": _WIDTH_PX, "height": _HEIGHT_PX}, locale="en-GB")
        visit = Visit(context, home)
        visit.open(f"/schools/{_SHOWN.id}?lang=en")
        visit.page.screenshot(path=FOLDER / "school.png")
        context.close()
    sys.stderr.write("written: docs/pictures/school.png\n")


if __name__ == "__main__":
    main()
