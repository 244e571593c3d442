"""Every run of thirty days: a point each, the median of each day, bounds as lines, failures as marks of their own.

What was not measured is never drawn as a value. A failed run is a cross in the lane under the plot, a run that was not
made a hollow diamond, and a day without any value is hatched. The same numbers stand in the table beside the chart.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

from mektep_collector.reports.build.school import Series, SeriesDay
from mektep_collector.reports.build.standing import Run
from mektep_dashboards.charts.frame import Frame, Width, frame
from mektep_dashboards.charts.scale import Scale, scale
from mektep_dashboards.charts.svg import short, tag
from mektep_dashboards.i18n.speech import Speech
from mektep_dashboards.i18n.vocabulary import FAILURES, OUTCOMES, SKIPS
from mektep_wire import Outcome

_MONDAY = 0
_ROOM = 1.04
_LABEL_GAP = 15.0
_CROSS = 3.4
_DIAMOND = 3.0
_LABEL_WIDTH = 50.0


class Line(msgspec.Struct, frozen=True):
    """A bound that the values are held against: its value, its label, and the class that gives it its look."""

    value: float
    label: str
    look: str


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What a chart of runs shows and says; `id` is unique on its page."""

    id: str
    title: str
    description: str
    unit: str
    series: Series
    time_zone: str
    lines: Sequence[Line]
    plot_height: float
    written: Callable[[float], str]
    """Writes a value with its unit."""


def draw(picture: Picture, width: Width, speech: Speech) -> Markup:
    """Return the chart for one width of screen."""
    place = frame(width, len(picture.series.days), picture.plot_height)
    values = [run.value for run in picture.series.runs if run.value is not None]
    upward = scale([value * _ROOM for value in [*values, *(line.value for line in picture.lines)]],
                   place.bottom, place.top)  # fmt: skip
    name = f"{picture.id}-{width.value}"
    hatch = tag(
        "pattern", [tag("path", d="M0 6L6 0", class_="hatch-line")],
        id=f"{name}-hatch", width=6, height=6, patternUnits="userSpaceOnUse",
    )  # fmt: skip
    children = [
        tag("title", picture.title, id=f"{name}-title"),
        tag("desc", picture.description, id=f"{name}-desc"),
        tag("defs", [hatch]),
        tag(
            "rect", x=place.left, y=place.lane - 7, width=place.right - place.left, height=14, rx=3, class_="lane",
        ),
        *_empty_days(picture.series.days, place, f"url(#{name}-hatch)"),
        *_values_axis(upward, place, picture.unit, speech),
        *_days_axis(picture.series.days, place, speech),
        *_lines(picture.lines, upward, place),
        *_runs(picture, upward, place, speech),
        *_medians(picture.series.days, upward, place),
    ]  # fmt: skip
    return tag(
        "svg", children, view_box=f"0 0 {short(place.width)} {short(place.height)}", role="img",
        class_=f"chart chart-{width.value}", aria_labelledby=f"{name}-title {name}-desc",
    )  # fmt: skip


def _empty_days(days: Sequence[SeriesDay], place: Frame, hatch: str) -> list[Markup]:
    height = place.bottom - place.top
    return [
        tag("rect", x=place.day_at(index), y=place.top, width=place.day_width, height=height, fill=hatch)
        for index, day in enumerate(days)
        if day.median is None
    ]


def _values_axis(upward: Scale, place: Frame, unit: str, speech: Speech) -> list[Markup]:
    lines = "".join(f"M{short(place.left)} {short(upward.at(tick))}H{short(place.right)}" for tick in upward.ticks())
    digits = 0 if upward.step >= 1 and upward.step != 2.5 else 2 if upward.step < 0.1 or upward.step == 0.25 else 1
    labels = [
        tag(
            "text", speech.axis_number(tick, digits),
            x=place.left - 6, y=upward.at(tick) + 4, text_anchor="end", class_="axis-text",
        )
        for tick in upward.ticks()
    ]  # fmt: skip
    return [
        tag("path", d=lines, class_="grid"),
        *labels,
        tag("text", unit, x=2, y=place.top - 9, class_="axis-text axis-unit"),
    ]


def _days_axis(days: Sequence[SeriesDay], place: Frame, speech: Speech) -> list[Markup]:
    mondays = [(index, day) for index, day in enumerate(days) if date.fromisoformat(day.day).weekday() == _MONDAY]
    ticks = "".join(f"M{short(place.day_at(index))} {short(place.bottom)}v4" for index, _ in mondays)
    labels = [
        # the last label ends at the edge where it has no room to begin at its day
        tag(
            "text", speech.day(day.day),
            x=min(place.day_at(index), place.right - _LABEL_WIDTH), y=place.lane + 26,
            class_="axis-text",
        )
        for index, day in mondays
    ]  # fmt: skip
    return [
        tag("path", d=f"M{short(place.left)} {short(place.bottom)}H{short(place.right)}{ticks}", class_="axis"),
        *labels,
    ]


def _lines(lines: Sequence[Line], upward: Scale, place: Frame) -> list[Markup]:
    drawn: list[Markup] = []
    taken: list[float] = []
    for line in sorted(lines, key=lambda one: one.value):
        y = upward.at(line.value)
        drawn.append(
            tag("path", d=f"M{short(place.left)} {short(y)}H{short(place.right)}", class_=f"bound {line.look}")
        )
        # labels sit above their lines, pushed up where they would cover each other
        label_y = min([y - 5, *(other - _LABEL_GAP for other in taken)])
        taken.append(label_y)
        drawn.append(
            tag(
                "text", line.label,
                x=place.right - 3, y=max(label_y, 11), text_anchor="end", class_=f"bound-text {line.look}-text",
            )
        )  # fmt: skip
    return drawn


def _runs(picture: Picture, upward: Scale, place: Frame, speech: Speech) -> list[Markup]:
    zone = ZoneInfo(picture.time_zone)
    first = date.fromisoformat(picture.series.days[0].day)
    first_day = datetime(first.year, first.month, first.day, tzinfo=zone)
    return [
        _run(run, place.moment_at(run.at, first_day, zone), picture, upward, place, speech)
        for run in picture.series.runs
    ]


def _run(run: Run, x: float, picture: Picture, upward: Scale, place: Frame, speech: Speech) -> Markup:
    at = speech.minute(run.at, picture.time_zone)
    if run.value is not None:
        said = tag("title", f"{at}: {picture.written(run.value)}")
        return tag("circle", [said], cx=x, cy=upward.at(run.value), r=2.7, class_="run")
    why = ""
    if run.failure is not None:
        why = speech.gettext(FAILURES[run.failure])
    elif run.skip is not None:
        why = speech.gettext(SKIPS[run.skip])
    if run.outcome is Outcome.SKIPPED:
        said = tag("title", f"{at}: {speech.gettext(OUTCOMES[run.outcome])}: {why}")
        size = short(_DIAMOND)
        d = f"M{short(x)} {short(place.lane - _DIAMOND)}l{size} {size}l-{size} {size}l-{size} -{size}z"
        return tag("path", [said], d=d, class_="run-skipped")
    said = tag("title", f"{at}: {speech.gettext(OUTCOMES[run.outcome])}: {why}")
    twice = short(2 * _CROSS)
    left, up = short(x - _CROSS), short(place.lane - _CROSS)
    d = f"M{left} {up}l{twice} {twice}m0 -{twice}l-{twice} {twice}"
    return tag("path", [said], d=d, class_="run-failed")


def _medians(days: Sequence[SeriesDay], upward: Scale, place: Frame) -> list[Markup]:
    bars, joins, before = "", "", False
    for index, day in enumerate(days):
        if day.median is None:
            before = False
            continue
        y = short(upward.at(day.median))
        middle = short(place.day_at(index + 0.5))
        joins += f"{'L' if before else 'M'}{middle} {y}"
        bars += f"M{short(place.day_at(index + 0.14))} {y}H{short(place.day_at(index + 0.86))}"
        before = True
    return [tag("path", d=joins, class_="median-join"), tag("path", d=bars, class_="median")] if bars else []
