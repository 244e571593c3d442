"""The school's page says by how much short tests missed, and what its computers did of their audits."""

import re

import msgspec
import pytest

from mektep_collector.journal.entry import Accepted
from mektep_collector.reports.build.audits import Terms
from mektep_collector.reports.build.school import build_school
from mektep_dashboards.i18n.language import Language
from mektep_dashboards.pages.assets import read_assets
from mektep_dashboards.pages.rendering import Rendering
from mektep_wire import Trigger
from tests.support import invented_schools as invented
from tests.support.audited_runs import DEVICE, TERMS, slot_runs, store_of

RENDERING = Rendering(read_assets())
ASKED: Terms = {DEVICE.id: TERMS}


def shown(language: Language, runs: list[Accepted], terms: Terms = ASKED) -> str:
    document = build_school(invented.MET, [DEVICE], store_of(runs), invented.NOW, terms=terms)
    page = RENDERING.render("school.html", language, "/schools/x", {}, school=document)
    return re.sub(r"<[^>]+>", " ", page).replace("&nbsp;", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(("language", "words"), [
    (Language.EN, ["Error of short tests", "+2.0%", "up to 2% in 95 of 100 audits", "short tests", "audits as drawn"]),
    (Language.RU, ["Ошибка коротких тестов", "+2,0 %", "короткие тесты", "контрольные тесты по жребию"]),
    (Language.KK, ["Қысқа тесттердің қатесі", "+2,0%", "қысқа тесттер", "бақылау тесттері жеребе бойынша"]),
])  # fmt: skip
def test_the_error_stands_beside_the_number_in_every_language(language: Language, words: list[str]) -> None:
    page = " ".join(shown(language, list(slot_runs(59, 0.02))).split())
    assert [word for word in words if word not in page] == []
    assert re.search(r"n = \d\d · 90", page)


def test_a_school_without_audits_says_that_there_are_none_yet() -> None:
    ordinary = [one for one in slot_runs(59, 0.02) if one.reading.trigger is Trigger.SLOT]
    page = shown(Language.EN, ordinary, {})
    assert "no audit yet" in page
    assert "audits not checked yet" in page


def test_a_computer_that_leaves_audits_out_is_flagged() -> None:
    runs = [
        msgspec.structs.replace(one, reading=msgspec.structs.replace(one.reading, trigger=Trigger.SLOT, values={
            metric: value for metric, value in one.reading.values.items() if "full_length" not in metric
        }))
        for one in slot_runs(59, 0.02)
    ]  # fmt: skip
    page = shown(Language.EN, runs)
    assert "audits are missing" in page
    assert re.search(r"drawn: (\d+), made: 0, missing: \1, too many: 0", page)


def test_a_computer_that_fell_back_says_why_nothing_is_shortened() -> None:
    page = shown(Language.EN, list(slot_runs(59, 0.0, "full_length/2")))
    assert "tests of full length" in page
    assert "nothing is shortened where short tests would miss too much" in page
