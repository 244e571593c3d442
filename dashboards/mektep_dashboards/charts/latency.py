"""The small chart of idle round-trip times over thirty days."""

from markupsafe import Markup

from mektep_collector.reports.build.school import SchoolDocument
from mektep_dashboards.charts.frame import Width
from mektep_dashboards.charts.runs import Picture, draw
from mektep_dashboards.i18n.speech import Speech

_PLOT_HEIGHT = 120.0


def latency(document: SchoolDocument, width: Width, speech: Speech) -> Markup:
    """Return the chart for one width of screen."""
    runs = document.latency_series.runs
    ok_count = sum(run.value is not None for run in runs)
    name = speech.gettext("Tests with a result")
    description = f"{name}: {speech.number(ok_count)}"
    return draw(
        Picture(
            id="latency",
            title=speech.gettext("Latency over 30 days, line at rest"),
            description=description,
            unit=speech.gettext("ms"),
            series=document.latency_series,
            time_zone=document.time_zone,
            lines=(),
            plot_height=_PLOT_HEIGHT,
            written=speech.milliseconds,
        ),
        width,
        speech,
    )
