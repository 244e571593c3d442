"""The school's page tells when the line was down, and why, in every language."""

import re
from datetime import timedelta

import pytest

from mektep_collector.journal.entry import Accepted
from mektep_collector.reports.build.school import build_school
from mektep_dashboards.i18n.language import Language
from mektep_dashboards.pages.assets import read_assets
from mektep_dashboards.pages.rendering import Rendering
from mektep_wire import EngineName, Metric, Outage, OutageCause, ProbeName, Trigger
from tests.support import invented_schools as invented
from tests.support.audited_runs import store_of

RENDERING = Rendering(read_assets())


def shown(language: Language, *outages: Outage) -> str:
    month = invented.Month(invented.MET, 3)
    runs: list[Accepted] = list(month.days(40.0, 20.0))
    runs += [
        month.reading(
            invented.NOW - timedelta(hours=4 + number), ProbeName.OUTAGE, EngineName.HEARTBEAT, trigger=Trigger.EVENT,
            duration_s=3_900.0, values={Metric.OUTAGE_DURATION_S: 3_900.0}, outage=one,
        )
        for number, one in enumerate(outages)
    ]  # fmt: skip
    runs.sort(key=lambda one: one.at)
    document = build_school(invented.MET, invented.DEVICES, store_of(runs), invented.NOW)
    page = RENDERING.render("school.html", language, "/schools/x", {}, school=document)
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("&nbsp;", " ").replace("\u00a0", " ").split())


@pytest.mark.parametrize(("language", "words"), [
    (Language.EN, ["When the line was down", "the provider", "1 h 05 min", "± 1 min", "± 20 s"]),
    (Language.RU, ["Когда не было связи", "линия провайдера", "1 ч 05 мин"]),
    (Language.KK, ["Байланыс болмаған уақыт", "провайдердің желісі", "1 сағ 05 мин"]),
])  # fmt: skip
def test_an_outage_stands_with_its_times_and_its_cause(language: Language, words: list[str]) -> None:
    page = shown(language, Outage(cause=OutageCause.PROVIDER, begin_uncertainty_s=60.0, end_uncertainty_s=20.0))
    assert [word for word in words if word not in page] == []


def test_a_power_cut_is_told_and_not_held_against_the_line() -> None:
    page = shown(Language.EN, Outage(cause=OutageCause.POWER, boots_count=2))
    assert "the computer had no power" in page
    assert "not counted against the line" in page


def test_a_school_without_outages_says_so() -> None:
    assert "No outage was recorded in the last 30 days." in shown(Language.EN)
