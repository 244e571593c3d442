"""How many pupils could work at once: the newest day's measurements of a school, held against what lessons need."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from mektep_collector.config.lesson_needs import LessonNeed
from mektep_collector.journal.entry import Accepted
from mektep_collector.reports.build.learning import Learning
from mektep_collector.reports.build.platforms import PlatformRow
from mektep_collector.sla.lesson_readiness import LessonReadiness, LineState, Measured, readiness
from mektep_collector.sla.percentile import median
from mektep_wire import Metric, Outcome

_ONE_DAY = timedelta(hours=24)


class LessonRow(msgspec.Struct, frozen=True, kw_only=True):
    """One activity: what it needs, what the line gave, and for how many pupils that is enough."""

    need: LessonNeed
    line: LineState
    readiness: LessonReadiness


def build_lessons(
    readings: Sequence[Accepted], platforms: Sequence[PlatformRow], learning: Learning, now: datetime
) -> Sequence[LessonRow]:
    """Return a row for each activity of the operator's table. `readings` are one school's, in order of time."""
    fresh = [accepted for accepted in readings if (now - accepted.at).total_seconds() <= learning.max_age_s]
    line = LineState(
        download=_middle(fresh, Metric.DOWNLOAD_THROUGHPUT_MBPS),
        upload=_middle(fresh, Metric.UPLOAD_THROUGHPUT_MBPS),
        rtt=_middle(fresh, Metric.IDLE_RTT_MS),
        loss=_loss(fresh),
    )
    newest = {row.name: row.last for row in platforms}
    rows = []
    for need in learning.needs:
        last = newest.get(need.platform)
        own = line
        if last is not None and (now - last.at).total_seconds() <= learning.max_age_s:
            own = msgspec.structs.replace(line, state=last.state, state_at=last.at)
        rows.append(LessonRow(need=need, line=own, readiness=readiness(need, own)))
    return rows


def _middle(fresh: Sequence[Accepted], metric: Metric) -> Measured | None:
    """Return the median of the 24 hours that end with the newest value, of that value's own engine and method alone."""
    found = _last_day(fresh, metric)
    if not found:
        return None
    values = [accepted.reading.values[metric] for accepted in found]
    return Measured(value=median(values), count=len(values), at=found[-1].at)


def _loss(fresh: Sequence[Accepted]) -> Measured | None:
    """Return the loss over all packets of those 24 hours: one reading has too few of them to show one in a hundred."""
    found = _last_day(fresh, Metric.PACKET_LOSS_RATIO)
    sent = [accepted.reading.sample_counts.get(Metric.PACKET_LOSS_RATIO, 0) for accepted in found]
    if not sum(sent):
        return None
    lost = sum(
        accepted.reading.values[Metric.PACKET_LOSS_RATIO] * count for accepted, count in zip(found, sent, strict=True)
    )
    return Measured(value=lost / sum(sent), count=sum(sent), at=found[-1].at)


def _last_day(fresh: Sequence[Accepted], metric: Metric) -> Sequence[Accepted]:
    good = [a for a in fresh if a.reading.outcome is Outcome.OK and metric in a.reading.values]
    if not good:
        return ()
    newest = good[-1]
    way = (newest.reading.engine, newest.reading.method)
    return [a for a in good if newest.at - a.at < _ONE_DAY and (a.reading.engine, a.reading.method) == way]
