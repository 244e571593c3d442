"""Charts: failures are marks and never values, gaps are shown as gaps, words are there for who cannot see."""

from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from mektep_collector.registry.records import School
from mektep_collector.reports.build.fleet import build_fleet
from mektep_collector.reports.build.school import SchoolDocument, build_school
from mektep_collector.sla.verdict import Bounds
from mektep_dashboards.charts.frame import Width
from mektep_dashboards.charts.gauge import gauge
from mektep_dashboards.charts.latency import latency
from mektep_dashboards.charts.sparkline import sparkline
from mektep_dashboards.charts.svg import tag
from mektep_dashboards.charts.throughput import throughput
from mektep_dashboards.i18n.language import Language
from mektep_dashboards.i18n.speech import Speech
from mektep_wire import Direction
from tests.support import invented_schools as invented
from tests.support.memory_store import MemoryStore

EN = Speech(Language.EN)
STORE = MemoryStore(lambda school_id: ZoneInfo("Asia/Almaty"))
STORE.put(invented.entries())


def _document(school: School) -> SchoolDocument:
    return build_school(school, invented.DEVICES, STORE, invented.NOW)


def _parsed(picture: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(picture))  # noqa: S314 (our own output)


def _marks(picture: Markup, look: str) -> list[ElementTree.Element]:
    return [mark for mark in _parsed(picture).iter() if mark.get("class") == look]


@pytest.mark.parametrize("width", Width)
def test_every_run_has_its_own_mark(width: Width) -> None:
    document = _document(invented.BELOW)
    picture = throughput(document, Direction.DOWNLOAD, width, EN)
    assert len(_marks(picture, "run")) == document.download.ok_count
    assert len(_marks(picture, "run-failed")) == document.download.failed_count > 0
    assert len(_marks(picture, "run-skipped")) == document.download.skipped_count > 0


def test_a_failed_run_says_its_kind_and_is_no_value() -> None:
    picture = throughput(_document(invented.FAILING), Direction.DOWNLOAD, Width.WIDE, EN)
    assert _marks(picture, "run") == []
    assert _marks(picture, "median") == []
    said = [mark.findtext("title") for mark in _marks(picture, "run-failed")]
    assert len(said) == 12
    assert said[-1] == "23\u00a0Nov, 12:40: failed: a login page of the network stands in the way"


def test_days_without_a_value_are_hatched_and_the_median_does_not_bridge_them() -> None:
    document = _document(invented.SILENT)
    picture = throughput(document, Direction.DOWNLOAD, Width.WIDE, EN)
    hatched = [mark for mark in _parsed(picture).iter() if (mark.get("fill") or "").startswith("url(#")]
    assert len(hatched) == sum(day.median is None for day in document.download_series.days)
    (joins,) = _marks(picture, "median-join")
    gaps = sum(
        day.median is not None and before is None
        for before, day in zip(
            [None, *(day.median for day in document.download_series.days)], document.download_series.days, strict=False
        )
    )
    assert (joins.get("d") or "").count("M") == gaps > 1


def test_bounds_are_lines_with_their_names_and_values() -> None:
    picture = throughput(_document(invented.MET), Direction.DOWNLOAD, Width.WIDE, EN)
    texts = {element.text for element in _parsed(picture).iter() if element.tag == "text"}
    assert {"Norm 26.3\u00a0Mbit/s", "Contract 50\u00a0Mbit/s"} <= texts
    upload = throughput(_document(invented.MET), Direction.UPLOAD, Width.WIDE, EN)
    assert not any((element.text or "").startswith("Norm") for element in _parsed(upload).iter())


def test_labels_of_equal_bounds_do_not_cover_each_other() -> None:
    parsed = _parsed(throughput(_document(invented.BELOW), Direction.DOWNLOAD, Width.WIDE, EN))
    places = [float(one.get("y") or 0) for one in parsed.iter() if "bound-text" in (one.get("class") or "")]
    assert len(places) == 2
    assert abs(places[0] - places[1]) >= 12


def test_charts_carry_words_for_readers_who_do_not_see_them() -> None:
    for width in Width:
        parsed = _parsed(throughput(_document(invented.MET), Direction.DOWNLOAD, width, EN))
        assert parsed.get("role") == "img"
        named = {element.get("id") for element in parsed if element.tag in {"title", "desc"}}
        assert set((parsed.get("aria-labelledby") or "").split()) == named
        assert "Median: 44.5" in (parsed.findtext("desc") or "")


def test_no_chart_needs_inline_style_or_is_empty() -> None:
    document = _document(invented.HOSTILE)
    pictures = [
        *(throughput(document, direction, width, EN) for direction in Direction for width in Width),
        latency(document, Width.WIDE, EN),
        gauge(None, Bounds(norm_mbps=None, contract_mbps=None), "unknown", EN),
        gauge(0.0, Bounds(norm_mbps=20.0, contract_mbps=50.0), "bad", EN),
        *(sparkline(row, EN) for row in build_fleet(invented.SCHOOLS, [], STORE, invented.NOW).rows),
    ]
    for picture in pictures:
        assert "style=" not in picture
        assert "NaN" not in picture
        assert len(_parsed(picture)) > 0


def test_a_sparkline_has_a_bar_a_day_with_a_median_and_crosses_for_failures() -> None:
    rows = {row.school_id: row for row in build_fleet(invented.SCHOOLS, [], STORE, invented.NOW).rows}
    (bars,) = _marks(sparkline(rows[invented.MET.id], EN), "spark-bar")
    assert (bars.get("d") or "").count("M") == rows[invented.MET.id].download.days_count
    failing = sparkline(rows[invented.FAILING.id], EN)
    assert _marks(failing, "spark-bar") == []
    (crosses,) = _marks(failing, "spark-cross")
    assert (crosses.get("d") or "").count("l3 3") == 12


def test_text_and_attributes_are_escaped() -> None:
    assert tag("text", "<b>", x=1.25, data_note='"&') == '<text x="1.2" data-note="&#34;&amp;">&lt;b&gt;</text>'
