"""Responsiveness: round trips a minute while the link is full (draft-ietf-ippm-responsiveness-09, section 4).

Our form of it, so that it costs a few packets: the load is the throughput test's one connection, the foreign probes are
TCP handshakes towards the same server, and echo packets beside the load stand in for requests on the loaded
connection. TLS and HTTP handshakes are left out: each takes one round trip more of the same queue. A value is
comparable with other values of `rpm_echo/1`, and with the draft's bands, not to the digit with its other forms.
"""

from collections.abc import Sequence
from typing import Final

from mektep_agent.statistics.latency import nearest_rank

TRIMMED_RATIO: Final = 0.95
"""The draft's TMP: what lies above this percentile is left out of the mean."""
LEAST_COUNT: Final = 3
"""Fewer round trips of a kind say nothing."""
_MS_A_MINUTE: Final = 60_000.0


def trimmed_mean_ms(rtts_ms: Sequence[float], trimmed_ratio: float = TRIMMED_RATIO) -> float:
    """Return the mean of the values up to the percentile; raises ValueError for none."""
    ordered = sorted(rtts_ms)
    most = nearest_rank(ordered, trimmed_ratio)
    kept = [rtt for rtt in ordered if rtt <= most]
    return sum(kept) / len(kept)


def responsiveness_rpm(foreign_ms: Sequence[float], loaded_ms: Sequence[float]) -> float | None:
    """Return the mean of both kinds' round trips a minute, that of one where the other has too few values.

    None where both have.
    """
    means_ms = [trimmed_mean_ms(rtts) for rtts in (foreign_ms, loaded_ms) if len(rtts) >= LEAST_COUNT]
    if not means_ms or min(means_ms) <= 0:
        return None
    return sum(_MS_A_MINUTE / mean_ms for mean_ms in means_ms) / len(means_ms)
