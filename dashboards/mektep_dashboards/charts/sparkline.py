"""Thirty days of one school in the height of a line: a bar for a day's median, a cross for a day with failed tests."""

from markupsafe import Markup

from mektep_collector.reports.build.fleet import FleetRow
from mektep_dashboards.charts.scale import scale
from mektep_dashboards.charts.svg import short, tag
from mektep_dashboards.i18n.speech import Speech

_DAY = 4.0
_HEIGHT = 30.0
_FLOOR = 24.0


def sparkline(row: FleetRow, speech: Speech) -> Markup:
    """Return the picture; its label says in words what it shows."""
    medians = [day.median_mbps for day in row.trend if day.median_mbps is not None]
    upward = scale([*medians, row.norm.mbps], _FLOOR, 2.0)
    bars = "".join(
        f"M{short(index * _DAY + 1.5)} {short(_FLOOR)}V{short(min(upward.at(day.median_mbps), _FLOOR - 1))}"
        for index, day in enumerate(row.trend)
        if day.median_mbps is not None
    )
    crosses = "".join(
        f"M{short(index * _DAY)} 26l3 3m0 -3l-3 3" for index, day in enumerate(row.trend) if day.failed_count
    )
    width = _DAY * len(row.trend)
    good, failed = speech.gettext("Days with a result"), speech.gettext("Days with failed tests")
    label = f"{good}: {len(medians)}; {failed}: {sum(day.failed_count > 0 for day in row.trend)}"
    norm = f"M0 {short(upward.at(row.norm.mbps))}H{short(width)}"
    children = [
        tag("path", d=f"M0 {short(_FLOOR)}H{short(width)}", class_="spark-floor"),
        tag("path", d=bars, class_="spark-bar") if bars else Markup(""),
        tag("path", d=norm, class_="spark-norm"),
        tag("path", d=crosses, class_="spark-cross") if crosses else Markup(""),
    ]
    return tag(
        "svg", children, view_box=f"0 0 {short(width)} {short(_HEIGHT)}", role="img", aria_label=label, class_="spark"
    )
