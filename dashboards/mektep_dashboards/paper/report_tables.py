"""A report's tables in one language: titles, columns with their kinds, and cells. Files are made from them."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, Generic, TypeVar

import msgspec

from mektep_collector.reports.build.period.document import GroupFigures, ReportDocument, SchoolFigures
from mektep_collector.sla.methods.method import Answer, Method
from mektep_dashboards.i18n import vocabulary
from mektep_dashboards.i18n.catalogue import mark
from mektep_dashboards.i18n.speech import Speech
from mektep_wire import Interval

Cell = str | int | float | None
Row_ = TypeVar("Row_")


class Kind(StrEnum):
    """What a column holds, and so how it is written."""

    TEXT = "text"
    COUNT = "count"
    SPEED = "speed"
    TIME = "time"
    SHARE = "share"


class Column(msgspec.Struct, frozen=True):
    """A column's title in the reader's language, and its kind."""

    title: str
    kind: Kind


class ReportTable(msgspec.Struct, frozen=True, kw_only=True):
    """One table. A cell that is None says that there is nothing to tell, never zero."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


class _Field(Generic[Row_]):
    """A column to be: its title's message, its kind, and where a row has it."""

    def __init__(self, title: str, kind: Kind, of: Callable[[Row_, Speech], Cell]) -> None:
        self.title = title
        self.kind = kind
        self.of = of


def _low(interval: Interval | None) -> float | None:
    return None if interval is None else interval.low


def _high(interval: Interval | None) -> float | None:
    return None if interval is None else interval.high


def _answer(method: Method) -> Callable[[SchoolFigures, Speech], Cell]:
    return lambda row, say: say.gettext(ANSWERS[row.findings[method].answer])


ANSWERS: Final = {
    Answer.MET: mark("yes"),
    Answer.NOT_MET: mark("no"),
    Answer.INSUFFICIENT_DATA: mark("insufficient data"),
    Answer.NOT_APPLICABLE: mark("nothing to compare with"),
}
_LOWER, _UPPER = mark("Median, lower bound, Mbit/s"), mark("Median, upper bound, Mbit/s")
_MEDIAN, _TESTS = mark("Download, median, Mbit/s"), mark("Tests with a result")
_FAILED, _AVAILABLE = mark("Failed tests"), mark("Availability")
_P10, _LATENCY = mark("Download, tenth percentile, Mbit/s"), mark("Round trip, median, ms")

_SCHOOLS: Final[Sequence[_Field[SchoolFigures]]] = (
    _Field(mark("School's number"), Kind.TEXT, lambda row, _: row.school_id),
    _Field(mark("School"), Kind.TEXT, lambda row, _: row.name),
    _Field(mark("Region"), Kind.TEXT, lambda row, say: region_name(row.region, say)),
    _Field(mark("District"), Kind.TEXT, lambda row, _: row.district),
    _Field(mark("Provider"), Kind.TEXT, lambda row, _: row.provider),
    _Field(mark("Connection"), Kind.TEXT, lambda row, say: say.gettext(vocabulary.TECHNOLOGIES[row.technology.value])),
    _Field(mark("Pupils"), Kind.COUNT, lambda row, _: row.pupils_count),
    _Field(mark("Norm, Mbit/s"), Kind.SPEED, lambda row, _: row.norm.mbps),
    _Field(mark("Contract, Mbit/s"), Kind.SPEED, lambda row, _: row.contract_mbps),
    _Field(_TESTS, Kind.COUNT, lambda row, _: row.download.ok_count),
    _Field(_FAILED, Kind.COUNT, lambda row, _: row.download.failed_count),
    _Field(mark("Days with a test"), Kind.COUNT, lambda row, _: row.download.days_count),
    _Field(_MEDIAN, Kind.SPEED, lambda row, _: row.download.median_mbps),
    _Field(_LOWER, Kind.SPEED, lambda row, _: _low(row.download.median_interval)),
    _Field(_UPPER, Kind.SPEED, lambda row, _: _high(row.download.median_interval)),
    _Field(_P10, Kind.SPEED, lambda row, _: row.download.p10_mbps),
    _Field(mark("Upload, median, Mbit/s"), Kind.SPEED, lambda row, _: row.upload.median_mbps),
    _Field(_LATENCY, Kind.TIME, lambda row, _: row.latency.median_ms),
    _Field(_AVAILABLE, Kind.SHARE, lambda row, _: row.availability_ratio),
    _Field(mark("Norm met"), Kind.TEXT, _answer(Method.NORM_SHARE)),
    _Field(mark("Contract kept"), Kind.TEXT, _answer(Method.CONTRACT_SHARE)),
    _Field(mark("By the FCC's rule"), Kind.TEXT, _answer(Method.FCC_80_80)),
    _Field(mark("By Giga's rule"), Kind.TEXT, _answer(Method.GIGA)),
    _Field(mark("Why below the norm"), Kind.TEXT, lambda row, say: say.gettext(vocabulary.SHORTFALLS[row.shortfall])),
    _Field(mark("Origin of the data"), Kind.TEXT, lambda row, say: say.gettext(vocabulary.ORIGINS[row.origin])),
)

_GROUPS: Final[Sequence[_Field[GroupFigures]]] = (
    _Field(mark("Schools in the register"), Kind.COUNT, lambda row, _: row.schools_count),
    _Field(mark("Schools with data"), Kind.COUNT, lambda row, _: row.reporting_count),
    _Field(mark("Schools with enough tests"), Kind.COUNT, lambda row, _: row.judged_count),
    _Field(mark("Of them at the norm"), Kind.COUNT, lambda row, _: row.met_count),
    _Field(mark("Share of schools at the norm"), Kind.SHARE, lambda row, _: row.met_ratio),
    _Field(mark("Share, lower bound"), Kind.SHARE, lambda row, _: _low(row.met_interval)),
    _Field(mark("Share, upper bound"), Kind.SHARE, lambda row, _: _high(row.met_interval)),
    _Field(mark("Share of pupils"), Kind.SHARE, lambda row, _: row.pupils_ratio),
    _Field(_TESTS, Kind.COUNT, lambda row, _: row.tests_count),
    _Field(_FAILED, Kind.COUNT, lambda row, _: row.failed_count),
    _Field(_MEDIAN, Kind.SPEED, lambda row, _: row.median_mbps),
    _Field(_LOWER, Kind.SPEED, lambda row, _: _low(row.median_interval)),
    _Field(_UPPER, Kind.SPEED, lambda row, _: _high(row.median_interval)),
    _Field(_P10, Kind.SPEED, lambda row, _: row.p10_mbps),
    _Field(mark("Share of tests at the norm"), Kind.SHARE, lambda row, _: row.norm_tests_ratio),
    _Field(_AVAILABLE, Kind.SHARE, lambda row, _: row.availability_ratio),
    _Field(_LATENCY, Kind.TIME, lambda row, _: row.latency_median_ms),
)


def report_tables(document: ReportDocument, say: Speech) -> list[ReportTable]:
    """Return regions, providers, connections and schools; a group that is too thin has its counts alone."""
    region, provider, connection = mark("Region"), mark("Provider"), mark("Connection")
    return [
        _of_groups(mark("Regions"), region, document.regions, lambda key: region_name(key, say), say),
        _of_groups(mark("Providers"), provider, document.providers, lambda key: key, say),
        _of_groups(
            mark("Connections"), connection, document.technologies,
            lambda key: say.gettext(vocabulary.TECHNOLOGIES[key]), say,
        ),
        ReportTable(
            title=say.gettext(mark("Schools")),
            columns=[Column(say.gettext(field.title), field.kind) for field in _SCHOOLS],
            rows=[[field.of(row, say) for field in _SCHOOLS] for row in document.schools],
        ),
    ]  # fmt: skip


def region_name(code: str, say: Speech) -> str:
    """Return a region's name; a code that is none is shown as it is."""
    return say.gettext(vocabulary.REGIONS[code]) if code in vocabulary.REGIONS else code


def _of_groups(
    title: str, first: str, groups: Sequence[GroupFigures], named: Callable[[str], str], say: Speech
) -> ReportTable:
    names = Column(say.gettext(first), Kind.TEXT)
    return ReportTable(
        title=say.gettext(title),
        columns=[names, *(Column(say.gettext(field.title), field.kind) for field in _GROUPS)],
        rows=[[named(group.key), *(field.of(group, say) for field in _GROUPS)] for group in groups],
    )
