"""Every probe, engine, metric, setting and command is documented, and the generated pages are as the code is."""

import re
from pathlib import Path

import pytest

from mektep_wire import VERSION
from tests.support.publish_reference import FOLDER, pages

ROOT = Path(__file__).parents[2]
ENGINE_FILES = sorted(
    path.stem
    for path in (ROOT / "agent" / "mektep_agent" / "engines").iterdir()
    if path.stem not in {"__init__", "engine", "failures", "assigned", "resolve", "tcp_info", "tls", "__pycache__"}
)
PROBE_FILES = sorted(
    path.stem
    for path in (ROOT / "agent" / "mektep_agent" / "probes").iterdir()
    if path.stem in {"throughput", "latency", "path", "platform", "outage"}
)
PROBE_HEADINGS = ("Cost on a metered link.", "Needs.", "Output.", "Conclusions.", "Privacy.")


@pytest.mark.parametrize("page", pages())
def test_the_generated_reference_is_as_the_code_is(page: str) -> None:
    written = (FOLDER / page).read_text("utf-8")
    assert written == pages()[page], f"docs/reference/{page} is stale: run `make reference`"


@pytest.mark.parametrize("engine", ENGINE_FILES)
def test_every_engine_has_its_page(engine: str) -> None:
    assert (ROOT / "docs" / "engines" / f"{engine}.md").read_text("utf-8").startswith(f"# Engine: {engine}\n")


@pytest.mark.parametrize("probe", PROBE_FILES)
def test_every_probe_has_its_page_with_the_same_headings(probe: str) -> None:
    text = (ROOT / "docs" / "probes" / f"{probe}.md").read_text("utf-8")
    assert [heading for heading in PROBE_HEADINGS if f"**{heading}**" not in text] == []


def test_every_setting_says_what_it_means() -> None:
    assert [line for line in pages()["settings.md"].splitlines() if line.endswith("|  |")] == []


def test_every_command_and_option_says_what_it_does() -> None:
    assert [
        line for line in pages()["commands.md"].splitlines() if line.startswith("- `--") and line.endswith(": ")
    ] == []


def test_the_changelog_names_the_version_that_the_code_bears() -> None:

    assert f"## [{VERSION}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("*.md")), ids=lambda page: page.name
)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:

    targets = re.findall(r"\]\((?!https?://|#|urn:)([^)#\s]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
