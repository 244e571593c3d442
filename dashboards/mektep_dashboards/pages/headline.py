"""A school's state in whole sentences: what it gets, and how that stands against norm and contract.

Kazakh and Russian decline names and numbers, so each sentence is a message of its own and takes numbers with units.
"""

from collections.abc import Sequence

from mektep_collector.reports.build.school import SchoolDocument
from mektep_collector.sla.verdict import MIN_TESTS_COUNT, Bounds, Verdict
from mektep_dashboards.i18n.speech import Speech

_ENOUGH = {Verdict.MEETS, Verdict.BELOW_NORM, Verdict.BELOW_CONTRACT, Verdict.BELOW_BOTH, Verdict.NOT_COMPARED}


def headline(document: SchoolDocument, speech: Speech) -> Sequence[str]:
    """Return one to three sentences, the most important first."""
    standing = document.download
    if standing.verdict is Verdict.NO_DATA:
        if document.last_reading_at is None:
            return [speech.gettext("Nothing has been measured at this school yet.")]
        return [speech.gettext("No speed test has run in the last 30 days.")]
    if standing.verdict is Verdict.ALL_FAILED:
        return [
            speech.gettext("No speed test of the last 30 days succeeded."),
            speech.gettext("Failed tests: %(count)s.") % {"count": speech.number(standing.failed_count)},
        ]
    if standing.verdict in _ENOUGH and standing.median_mbps is not None:
        speed = speech.mbps(standing.median_mbps, _compared(standing.bounds))
        first = speech.gettext("On a typical day the school gets %(speed)s.") % {"speed": speed}
        return [first, *_against(standing.median_mbps, standing.bounds, speech)]
    few = speech.gettext("Too few tests to judge the school: %(count)s of %(needed)s.") % {
        "count": speech.number(standing.ok_count),
        "needed": speech.number(MIN_TESTS_COUNT),
    }
    if standing.last is None or standing.last.value is None:
        return [few]
    speed = speech.mbps(standing.last.value, _compared(standing.bounds))
    first = speech.gettext("The last test gave %(speed)s.") % {"speed": speed}
    return [first, *_against(standing.last.value, standing.bounds, speech), few]


def _compared(bounds: Bounds) -> tuple[float | None, float | None]:
    return bounds.norm_mbps, bounds.contract_floor_mbps


def _against(value_mbps: float, bounds: Bounds, speech: Speech) -> Sequence[str]:
    sentences = []
    if bounds.norm_mbps is not None:
        message = (
            speech.gettext("That meets the norm of %(norm)s.")
            if value_mbps >= bounds.norm_mbps
            else speech.gettext("That is below the norm of %(norm)s.")
        )
        sentences.append(message % {"norm": speech.bound_mbps(bounds.norm_mbps)})
    if bounds.contract_mbps is not None and bounds.contract_floor_mbps is not None:
        message = (
            speech.gettext("The contract promises %(contract)s: it is kept.")
            if value_mbps >= bounds.contract_floor_mbps
            else speech.gettext("The contract promises %(contract)s: it is not kept.")
        )
        sentences.append(message % {"contract": speech.bound_mbps(bounds.contract_mbps)})
    return sentences
