"""One link of the grid: its shape both ways, who sends how, and what is held to be the truth about it."""

from enum import StrEnum

import msgspec

from mektep_wire import Direction
from tests.support.links import CongestionControl, Link, Shape


class Kind(StrEnum):
    """What is promised on a link."""

    PLAIN = "plain"
    """Rate, delay, queue, jitter and loss of one size all the time: held to the tight bounds."""
    BURST = "burst"
    """A token bucket lets several times the rate through first: held to the loose bound, after audits."""
    UNFILLED = "unfilled"
    """One flow cannot fill the link: losses that cubic takes for congestion, or a path that holds more than the
    receiver's window. There is no truth of the link to hold a flow against, so it is shown and not judged."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A link of the grid. The truth is the rate x 1448/1500, seen in full packets of TCP with timestamps."""

    name: str
    link: Link
    down_sender: CongestionControl = CongestionControl.BBR
    up_sender: CongestionControl = CongestionControl.CUBIC
    down_kind: Kind = Kind.PLAIN
    up_kind: Kind = Kind.PLAIN

    def kind(self, direction: Direction) -> Kind:
        """Return what is promised of one way."""
        return self.down_kind if direction is Direction.DOWNLOAD else self.up_kind

    def sender(self, direction: Direction) -> CongestionControl:
        """Return who sends how."""
        return self.down_sender if direction is Direction.DOWNLOAD else self.up_sender

    def truth_mbps(self, direction: Direction) -> float:
        """Return the goodput that the link allows one way."""
        shape = self.link.down if direction is Direction.DOWNLOAD else self.link.up
        return shape.tcp_goodput_mbps


def entry(
    name: str,
    down_mbps: float,
    up_mbps: float,
    rtt_ms: float,
    *,
    queue_ms: float = 200.0,
    loss_ratio: float = 0.0,
    jitter_ms: float = 0.0,
    burst_bytes: int = 0,
    burst_times: float = 3.0,
    seed: int = 1,
    down_sender: CongestionControl = CongestionControl.BBR,
    up_sender: CongestionControl = CongestionControl.CUBIC,
    up_kind: Kind = Kind.PLAIN,
    down_kind: Kind = Kind.PLAIN,
) -> Entry:
    """Return a link with the same queue, loss and jitter both ways."""
    kinds = (Kind.BURST, Kind.BURST) if burst_bytes else (down_kind, up_kind)

    def shape(rate_mbps: float, shape_seed: int) -> Shape:
        return Shape(
            rate_mbps=rate_mbps,
            delay_ms=rtt_ms / 2,
            queue_ms=queue_ms,
            loss_ratio=loss_ratio,
            jitter_ms=jitter_ms,
            burst_bytes=burst_bytes,
            burst_rate_mbps=rate_mbps * burst_times if burst_bytes else None,
            seed=shape_seed,
        )

    return Entry(
        name=name,
        link=Link(down=shape(down_mbps, 2 * seed), up=shape(up_mbps, 2 * seed + 1)),
        down_sender=down_sender,
        up_sender=up_sender,
        down_kind=kinds[0],
        up_kind=kinds[1],
    )
