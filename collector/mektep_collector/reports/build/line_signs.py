"""What readings of other probes say of a school's line at a moment: the signs to judge a platform's failure by."""

import ipaddress
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from mektep_collector.journal.entry import Accepted
from mektep_collector.sla.platform import Bearing, Health, Sign
from mektep_wire import EngineName, FailureKind, Metric, OutageCause, Outcome, ProbeName, Reading

_ANSWERED = frozenset({FailureKind.HANDSHAKE_REFUSED, FailureKind.CLOSED_EARLY})
"""The measuring server itself spoke: the line was up."""
_NOTHING_CAME = frozenset(
    {
        FailureKind.NO_INTERFACE,
        FailureKind.NETWORK_UNREACHABLE,
        FailureKind.HOST_UNREACHABLE,
        FailureKind.GATEWAY_UNREACHABLE,
        FailureKind.CONNECT_TIMEOUT,
        FailureKind.NO_ANSWER,
        FailureKind.STALLED,
        FailureKind.TIMEOUT,
        FailureKind.CAPTIVE_PORTAL,
    }
)
_NAMES_FAILED = frozenset({FailureKind.DNS_TIMEOUT, FailureKind.DNS_ERROR})
_LINE_OUTAGES = frozenset({OutageCause.LAN, OutageCause.PROVIDER, OutageCause.UNKNOWN})


def signs_of(readings: Iterable[Accepted]) -> list[Sign]:
    """Return the signs in the order of `readings`; what says nothing of the line gives none."""
    signs = []
    for accepted in readings:
        reading = accepted.reading
        found = _outage(reading) if reading.probe is ProbeName.OUTAGE else _moment(reading)
        if found is not None:
            bearing, health, lasted_s = found
            until = accepted.at + timedelta(seconds=lasted_s)
            signs.append(Sign(at=accepted.at, until=until, bearing=bearing, health=health))
    return signs


def _outage(reading: Reading) -> tuple[Bearing, Health, float] | None:
    """An outage of the line or of names; while the measuring server alone is away, the internet works."""
    lasted_s = reading.values.get(Metric.OUTAGE_DURATION_S)
    if lasted_s is None or reading.outage is None:
        return None
    cause = reading.outage.cause
    if cause is OutageCause.DNS:
        return Bearing.NAMES, Health.DOWN, lasted_s
    if cause is OutageCause.SERVICE:
        return Bearing.LINE, Health.UP, lasted_s
    return (Bearing.LINE, Health.DOWN, lasted_s) if cause in _LINE_OUTAGES else None


def _moment(reading: Reading) -> tuple[Bearing, Health, float] | None:
    if reading.outcome is Outcome.SKIPPED or reading.probe is ProbeName.PLATFORM:
        return None
    if reading.probe is ProbeName.PATH and reading.target == "gateway":
        return None  # many gateways answer no probe, and one that does says nothing of what lies beyond
    if reading.failure is not None:
        return _failed(reading.failure.kind)
    if reading.engine is not EngineName.DNS:
        return Bearing.LINE, Health.UP, 0.0
    # A target that is an address needs no resolver to be "resolved".
    return None if _is_address(urlsplit(reading.target).hostname or "") else (Bearing.NAMES, Health.UP, 0.0)


def _failed(kind: FailureKind) -> tuple[Bearing, Health, float] | None:
    if kind in _NAMES_FAILED:
        return Bearing.NAMES, Health.DOWN, 0.0
    if kind in _ANSWERED:
        return Bearing.LINE, Health.UP, 0.0
    return (Bearing.LINE, Health.DOWN, 0.0) if kind in _NOTHING_CAME else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
