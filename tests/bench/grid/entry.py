"""One link of the grid: its shape both ways, who sends how, and what is held to be the truth about it."""

from enum import StrEnum
from typing import Final

import msgspec

from mektep_wire import Direction
from tests.support.links import CongestionControl, Link, Shape
from tests.support.links.shape import MTU_BYTES, TCP_PAYLOAD_BYTES

WINDOW_BYTES: Final = 3 * 2**20
"""Half of net.ipv4.tcp_rmem's 6 MiB: what Linux offers at most unless told otherwise."""


class Kind(StrEnum):
    """What is promised on a link."""

    PLAIN = "plain"
    """Rate, delay, queue, jitter and loss of one size all the time: held to the tight bounds."""
    BURST = "burst"
    """A token bucket lets several times the rate through first: held to the loose bound, after audits."""
    CHANGING = "changing"
    """The rate changes while a test runs: held to lie between its least and its most."""
    UNFILLED = "unfilled"
    """One flow cannot fill the link: losses that cubic takes for congestion, or a path that holds more than the
    receiver's window. There is no truth of the link to hold a flow against, so it is shown and not judged. Which links
    these are follows from their shape alone (`is_filled`), not from what was measured."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a link becomes for `lasts_s`: its rates times `rate_ratio`, and so long a way."""

    lasts_s: float
    rtt_ms: float
    rate_ratio: float = 1.0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A link of the grid. The truth is the rate x 1448/1500, seen in full packets of TCP with timestamps.

    Others' traffic of a steady rate, in IP bytes, is not ours to have: it is taken off. `course` is gone through over
    and over while tests run; where it changes the rate, the truth is between the slowest and the fastest. With
    `has_peers` other clients are measured on it too.
    """

    name: str
    link: Link
    down_sender: CongestionControl = CongestionControl.BBR
    up_sender: CongestionControl = CongestionControl.CUBIC
    down_cross_mbps: float = 0.0
    up_cross_mbps: float = 0.0
    course: tuple[Step, ...] = ()
    has_peers: bool = False

    def kind(self, direction: Direction) -> Kind:
        """Return what is promised of one way."""
        shape = self.shape(direction)
        if not is_filled(shape, self.link.rtt_ms, self.sender(direction)):
            return Kind.UNFILLED
        if any(step.rate_ratio != 1.0 for step in self.course):
            return Kind.CHANGING
        return Kind.BURST if shape.burst_bytes else Kind.PLAIN

    def shape(self, direction: Direction) -> Shape:
        """Return what one way does to packets."""
        return self.link.down if direction is Direction.DOWNLOAD else self.link.up

    def sender(self, direction: Direction) -> CongestionControl:
        """Return who sends how."""
        return self.down_sender if direction is Direction.DOWNLOAD else self.up_sender

    def truth_mbps(self, direction: Direction) -> float:
        """Return the goodput that the link allows one way."""
        cross_mbps = self.down_cross_mbps if direction is Direction.DOWNLOAD else self.up_cross_mbps
        return self.shape(direction).tcp_goodput_mbps - cross_mbps * TCP_PAYLOAD_BYTES / MTU_BYTES

    def bounds_mbps(self, direction: Direction) -> tuple[float, float]:
        """Return the least and the most that the link allows one way while it changes."""
        ratios = [step.rate_ratio for step in self.course] or [1.0]
        truth_mbps = self.truth_mbps(direction)
        return min(ratios) * truth_mbps, max(ratios) * truth_mbps


def is_filled(shape: Shape, rtt_ms: float, sender: CongestionControl) -> bool:
    """Tell whether one flow of the sender fills the link at all, by the arithmetic of RFC 9438, section 5.

    Cubic at a loss ratio p keeps 1.054 (RTT / p)^(3/4) packets on the way, or what Reno keeps where that is more,
    1.22 / p^(1/2). Any sender keeps no more than the receiver's window, of which Linux offers `WINDOW_BYTES`.
    """
    rtt_s = rtt_ms / 1e3
    if shape.rate_mbps * 1e6 / 8 * rtt_s > WINDOW_BYTES:
        return False
    if sender is not CongestionControl.CUBIC or shape.loss_ratio == 0 or rtt_s == 0:
        return True
    packets = max(1.054 * (rtt_s / shape.loss_ratio) ** 0.75, 1.22 / shape.loss_ratio**0.5)
    return float(packets) * TCP_PAYLOAD_BYTES * 8 / rtt_s >= shape.tcp_goodput_mbps * 1e6


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
    cross_mbps: tuple[float, float] = (0.0, 0.0),
    course: tuple[Step, ...] = (),
    has_peers: bool = False,
    seed: int = 1,
    down_sender: CongestionControl = CongestionControl.BBR,
    up_sender: CongestionControl = CongestionControl.CUBIC,
) -> Entry:
    """Return a link with the same queue, loss and jitter both ways."""

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
        down_cross_mbps=cross_mbps[0],
        up_cross_mbps=cross_mbps[1],
        course=course,
        has_peers=has_peers,
    )


def policed(
    name: str,
    down_mbps: float,
    up_mbps: float,
    rtt_ms: float,
    *,
    line_mbps: float,
    bucket_s: float,
    seed: int,
    up_sender: CongestionControl = CongestionControl.BBR,
) -> Entry:
    """Return a line of `line_mbps` behind a policer: what is above the rate for longer than its bucket is dropped.

    A policer keeps no queue; two packets are let wait, as on any wire. The bucket holds `bucket_s` at the rate.
    """

    def shape(rate_mbps: float, shape_seed: int) -> Shape:
        return Shape(
            rate_mbps=rate_mbps,
            delay_ms=rtt_ms / 2,
            queue_bytes=2 * MTU_BYTES,
            burst_bytes=round(rate_mbps * 1e6 / 8 * bucket_s),
            burst_rate_mbps=line_mbps,
            seed=shape_seed,
        )

    link = Link(down=shape(down_mbps, 2 * seed), up=shape(up_mbps, 2 * seed + 1))
    return Entry(name=name, link=link, up_sender=up_sender)
