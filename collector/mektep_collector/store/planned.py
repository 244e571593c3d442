"""Which runs measure a metric, or should have: the same for every store.

A metric's failures are the failed runs of the probe that was to measure it. So a series shows a failed download test
in the series of downloads and not in that of round trips.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from mektep_wire import Direction, EngineName, Metric, Outcome, ProbeName, Reading


class Plan(msgspec.Struct, frozen=True):
    """Runs of `probe` in `direction` (None: the probe knows none) by one of `engines` (None: by any)."""

    probe: ProbeName
    direction: Direction | None = None
    engines: frozenset[EngineName] | None = None

    def of_kind(self, reading: Reading) -> bool:
        """Tell whether a reading is of this probe and direction, by whichever engine."""
        return reading.probe is self.probe and reading.direction is self.direction

    def covers(self, engine: EngineName) -> bool:
        """Tell whether a run of this kind by `engine` was to measure the metric."""
        return self.engines is None or engine in self.engines


_DOWNLOAD = Plan(ProbeName.THROUGHPUT, Direction.DOWNLOAD)
_UPLOAD = Plan(ProbeName.THROUGHPUT, Direction.UPLOAD)
# A failed run may have been an audit or not: it is a failed test, and no audit of anything.
_AUDITED_DOWNLOAD = Plan(ProbeName.THROUGHPUT, Direction.DOWNLOAD, frozenset())
_AUDITED_UPLOAD = Plan(ProbeName.THROUGHPUT, Direction.UPLOAD, frozenset())
_LATENCY = Plan(ProbeName.LATENCY)
_GATEWAY = Plan(ProbeName.PATH, None, frozenset({EngineName.ICMP}))
_NAMES = Plan(ProbeName.PATH, None, frozenset({EngineName.DNS}))
_CONNECT = Plan(ProbeName.PATH, None, frozenset({EngineName.TCP_CONNECT}))
_PATH = Plan(ProbeName.PATH)
_PLATFORM = Plan(ProbeName.PLATFORM)
_OUTAGE = Plan(ProbeName.OUTAGE)

PLANS: Mapping[Metric, tuple[Plan, ...]] = MappingProxyType(
    {
        Metric.DOWNLOAD_THROUGHPUT_MBPS: (_DOWNLOAD,),
        Metric.UPLOAD_THROUGHPUT_MBPS: (_UPLOAD,),
        Metric.DOWNLOAD_NDT7_MBPS: (_DOWNLOAD,),
        Metric.UPLOAD_NDT7_MBPS: (_UPLOAD,),
        Metric.DOWNLOAD_FULL_LENGTH_MBPS: (_AUDITED_DOWNLOAD,),
        Metric.UPLOAD_FULL_LENGTH_MBPS: (_AUDITED_UPLOAD,),
        Metric.IDLE_RTT_MS: (_LATENCY,),
        Metric.IDLE_RTT_MIN_MS: (_LATENCY,),
        Metric.IDLE_RTT_P95_MS: (_LATENCY,),
        Metric.LOADED_RTT_MS: (_DOWNLOAD, _UPLOAD),
        Metric.LOADED_RTT_P95_MS: (_DOWNLOAD, _UPLOAD),
        Metric.RTT_PDV_P95_MS: (_LATENCY,),
        Metric.PACKET_LOSS_RATIO: (_LATENCY,),
        Metric.LOADED_PACKET_LOSS_RATIO: (_DOWNLOAD, _UPLOAD),
        Metric.RETRANSMISSION_RATIO: (_DOWNLOAD, _UPLOAD),
        Metric.RECEIVER_LIMITED_RATIO: (_DOWNLOAD,),
        Metric.RESPONSIVENESS_RPM: (_DOWNLOAD, _UPLOAD),
        Metric.DNS_LOOKUP_MS: (_NAMES, _PLATFORM),
        Metric.TCP_CONNECT_MS: (_CONNECT, _PLATFORM),
        Metric.TLS_HANDSHAKE_MS: (_PLATFORM,),
        Metric.TTFB_MS: (_PLATFORM,),
        Metric.SMALL_OBJECT_MS: (_PLATFORM,),
        Metric.REDIRECTS_COUNT: (_PLATFORM,),
        Metric.GATEWAY_RTT_MS: (_GATEWAY,),
        Metric.GATEWAY_LOSS_RATIO: (_GATEWAY,),
        Metric.WIFI_SIGNAL_DBM: (_PATH,),
        Metric.LINK_SPEED_MBPS: (_PATH,),
        Metric.OUTAGE_DURATION_S: (_OUTAGE,),
    }
)
"""The plans of every metric."""


AUDITED: Mapping[Direction, tuple[Metric, Metric]] = MappingProxyType(
    {
        Direction.DOWNLOAD: (Metric.DOWNLOAD_THROUGHPUT_MBPS, Metric.DOWNLOAD_FULL_LENGTH_MBPS),
        Direction.UPLOAD: (Metric.UPLOAD_THROUGHPUT_MBPS, Metric.UPLOAD_FULL_LENGTH_MBPS),
    }
)
"""The two figures that an audit has in each direction: the shortened one and the other."""


def belongs(reading: Reading, metric: Metric) -> bool:
    """Tell whether a reading is a point of the metric's series.

    A good run is one when it has the value, by whichever engine: a gateway that only answers TCP is timed by another.
    A failed or skipped run is one when a plan covers it.
    """
    return any(
        plan.of_kind(reading)
        and (metric in reading.values if reading.outcome is Outcome.OK else plan.covers(reading.engine))
        for plan in PLANS[metric]
    )
