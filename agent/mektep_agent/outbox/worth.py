"""Which readings go first when there is no room: the many of little worth before the few that prove something."""

from enum import IntEnum

from mektep_wire import Outcome, ProbeName, Reading


class Worth(IntEnum):
    """Order of thinning, the least first."""

    ROUTINE = 0
    """A latency or path reading that says that all was well."""
    PLATFORM = 1
    """A platform reading."""
    EVIDENCE = 2
    """Throughput, outages, and every failure."""


def worth_of(reading: Reading) -> Worth:
    """Return what the loss of `reading` would mean."""
    if reading.outcome is Outcome.FAILED:
        return Worth.EVIDENCE
    if reading.probe in {ProbeName.LATENCY, ProbeName.PATH}:
        return Worth.ROUTINE
    return Worth.PLATFORM if reading.probe is ProbeName.PLATFORM else Worth.EVIDENCE
