"""What a link does to packets, in words and numbers of the field; nothing here does anything."""

import msgspec

MTU_BYTES = 1500
TCP_PAYLOAD_BYTES = 1448
"""Of a full IPv4 packet: less 20 bytes of IP, 20 of TCP, 12 of timestamps (RFC 7323)."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of a link.

    `rate_mbps` is charged for IP bytes, headers and all. A packet takes its length / rate to send, then `delay_ms`,
    then between 0 and `jitter_ms` more, evenly drawn; it never overtakes. So `delay_ms` is the least, and jitter adds
    half of itself to the mean of packets that are far apart.

    Packets are lost before they reach the queue, so loss costs the sender, not the link: the truth stays `rate_mbps`.
    The n-th packet's fate depends on `seed` and n alone.

    What waits is bounded by `queue_bytes` or, where that is None, by `queue_ms` at `rate_mbps`; a packet for which
    there is no room is dropped. One packet always has room.

    With `burst_bytes` the link is a token bucket of that depth, full at the start: it sends at `burst_rate_mbps` until
    the bucket is empty. At that rate pass burst_bytes * burst_rate / (burst_rate - rate) bytes in one go.

    Packets above `max_packet_bytes` vanish and nobody is told: below the MTU that is a black hole.
    """

    rate_mbps: float
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_ratio: float = 0.0
    queue_ms: float = 200.0
    queue_bytes: int | None = None
    burst_bytes: int = 0
    burst_rate_mbps: float | None = None
    seed: int = 1
    max_packet_bytes: int = MTU_BYTES

    def __post_init__(self) -> None:
        """Refuse what no link can be; raises ValueError."""
        if not 0 < self.rate_mbps <= 10_000:
            raise ValueError(f"rate_mbps must be above 0 and at most 10000, not {self.rate_mbps}")
        if min(self.delay_ms, self.jitter_ms, self.queue_ms, self.queue_bytes or 0, self.burst_bytes) < 0:
            raise ValueError("delay_ms, jitter_ms, queue_ms, queue_bytes and burst_bytes must not be negative")
        if not 0 <= self.loss_ratio <= 1:
            raise ValueError(f"loss_ratio must be within 0 and 1, not {self.loss_ratio}")
        if (self.burst_rate_mbps is None) != (self.burst_bytes == 0):
            raise ValueError("burst_bytes and burst_rate_mbps go together: give both or neither")
        if self.burst_rate_mbps is not None and self.burst_rate_mbps <= self.rate_mbps:
            raise ValueError(f"burst_rate_mbps must be above rate_mbps, not {self.burst_rate_mbps}")

    @property
    def queue_limit_bytes(self) -> int:
        """How much may wait."""
        if self.queue_bytes is not None:
            return self.queue_bytes
        return round(self.rate_mbps * 1e6 / 8 * self.queue_ms / 1e3)

    @property
    def tcp_goodput_mbps(self) -> float:
        """The truth that a throughput test is held against: payload of full IPv4 packets with timestamps."""
        return self.rate_mbps * TCP_PAYLOAD_BYTES / MTU_BYTES

    @property
    def udp_goodput_mbps(self) -> float:
        """Payload of full IPv4 packets of UDP."""
        return self.rate_mbps * (MTU_BYTES - 28) / MTU_BYTES


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Both directions, seen from the school."""

    down: Shape
    up: Shape

    @property
    def rtt_ms(self) -> float:
        """The least round-trip time, without the packets' own time of sending."""
        return self.down.delay_ms + self.up.delay_ms


def symmetric(rate_mbps: float, rtt_ms: float, *, queue_ms: float = 200.0) -> Link:
    """Return a clean link with the same rate both ways and half of the round trip each way.

    The queue's default holds what BBR's start-up sends too much at 80 ms. At half of it, with 100 Mbit/s and 80 ms,
    BBR takes its own losses for a policer's and stays at 86 to 95 % of the rate.
    """
    shape = Shape(rate_mbps=rate_mbps, delay_ms=rtt_ms / 2, queue_ms=queue_ms)
    return Link(down=shape, up=shape)
