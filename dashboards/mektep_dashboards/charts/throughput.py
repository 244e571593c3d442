"""The chart of a direction's throughput over thirty days, against norm and contract."""

from markupsafe import Markup

from mektep_collector.reports.build.school import SchoolDocument, Series
from mektep_collector.reports.build.standing import Standing
from mektep_dashboards.charts.frame import Width
from mektep_dashboards.charts.runs import Line, Picture, draw
from mektep_dashboards.i18n.catalogue import mark
from mektep_dashboards.i18n.speech import Speech
from mektep_wire import Direction

_PLOT_HEIGHT = 230.0
_TITLES = {Direction.DOWNLOAD: mark("Download over 30 days"), Direction.UPLOAD: mark("Upload over 30 days")}
_COUNTS = (mark("Tests with a result"), mark("Failed tests"), mark("Tests not run"))


def throughput(document: SchoolDocument, direction: Direction, width: Width, speech: Speech) -> Markup:
    """Return the chart of one direction for one width of screen."""
    standing, series = of_direction(document, direction)
    bounds = standing.bounds
    lines = []
    if bounds.norm_mbps is not None:
        name = speech.gettext("Norm")
        lines.append(Line(bounds.norm_mbps, f"{name} {speech.bound_mbps(bounds.norm_mbps)}", "norm"))
    if bounds.contract_mbps is not None:
        name = speech.gettext("Contract")
        lines.append(Line(bounds.contract_mbps, f"{name} {speech.bound_mbps(bounds.contract_mbps)}", "contract"))
    compared = (bounds.norm_mbps, bounds.contract_mbps)
    return draw(
        Picture(
            id=direction.value,
            title=speech.gettext(_TITLES[direction]),
            description=described(standing, speech),
            unit=speech.gettext("Mbit/s"),
            series=series,
            time_zone=document.time_zone,
            lines=lines,
            plot_height=_PLOT_HEIGHT,
            written=lambda value: speech.mbps(value, compared),
        ),
        width,
        speech,
    )


def of_direction(document: SchoolDocument, direction: Direction) -> tuple[Standing, Series]:
    """Return the standing and the series of one direction."""
    if direction is Direction.DOWNLOAD:
        return document.download, document.download_series
    return document.upload, document.upload_series


def described(standing: Standing, speech: Speech) -> str:
    """Return in words what a chart of throughput shows."""
    parts = []
    if standing.median_mbps is not None:
        name = speech.gettext("Median")
        bounds = (standing.bounds.norm_mbps, standing.bounds.contract_floor_mbps)
        parts.append(f"{name}: {speech.mbps(standing.median_mbps, bounds)}")
    counts = (standing.ok_count, standing.failed_count, standing.skipped_count)
    parts.extend(f"{speech.gettext(name)}: {speech.number(count)}" for name, count in zip(_COUNTS, counts, strict=True))
    return "; ".join(parts)
