"""A transfer that ran to its end, as it would have been had a stop rule been asked: one transfer, two figures.

So an audit compares a method with itself on the same seconds of the same line, and not two tests of which each met
another line.
"""

from collections.abc import Callable, Sequence

import msgspec

from mektep_agent.sample import Point, TcpCounters, ThroughputSample
from mektep_wire import StopReason

Decide = Callable[[Sequence[Point]], StopReason | None]
"""A stop rule's question: why to stop at the last of these points, or None to go on."""


def replay(sample: ThroughputSample, decide: Decide) -> ThroughputSample:
    """Return `sample` cut at the first point at which `decide` says to stop; itself where it never does.

    `decide` is asked point by point, as an engine asks it; the last point is the end of the test and is not asked
    about. Bytes on the link are cut in proportion, which leaves handshakes out of account. The sending kernel's
    counters of that moment are not known, but for the least round trip.
    """
    for count in range(1, len(sample.points)):
        points = sample.points[:count]
        reason = decide(points)
        if reason is not None:
            return _cut(sample, points, reason)
    return sample


def _cut(sample: ThroughputSample, points: tuple[Point, ...], reason: StopReason) -> ThroughputSample:
    end, whole_bytes = points[-1], sample.points[-1].total_bytes
    share = min(1.0, end.total_bytes / whole_bytes) if whole_bytes else 1.0
    return msgspec.structs.replace(
        sample,
        points=points,
        duration_s=end.elapsed_s,
        bytes_sent=round(sample.bytes_sent * share),
        bytes_received=round(sample.bytes_received * share),
        stop_reason=reason,
        tcp=TcpCounters(min_rtt_ms=sample.tcp.min_rtt_ms),
    )
