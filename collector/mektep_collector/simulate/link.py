"""What a simulated school's line can do, by its kind; the ranges are plausible ones, and none is a measured one."""

from enum import StrEnum
from random import Random

import msgspec


class LinkKind(StrEnum):
    """What carries a school's line."""

    FIBRE = "fibre"
    MICROWAVE = "microwave"
    GEOSTATIONARY = "geostationary"
    LOW_ORBIT = "low_orbit"
    MOBILE = "mobile"


class LinkRange(msgspec.Struct, frozen=True, kw_only=True):
    """From what to what the lines of a kind reach. `share` is the kind's part of all lines."""

    share: float
    download_mbps: tuple[float, float]
    upload_ratio: tuple[float, float]
    idle_rtt_ms: tuple[float, float]
    loss_ratio: tuple[float, float]


RANGES: dict[LinkKind, LinkRange] = {
    LinkKind.FIBRE: LinkRange(
        share=0.58, download_mbps=(15, 200), upload_ratio=(0.6, 1), idle_rtt_ms=(3, 35), loss_ratio=(0, 0.002)
    ),
    LinkKind.MICROWAVE: LinkRange(
        share=0.1, download_mbps=(6, 60), upload_ratio=(0.3, 1), idle_rtt_ms=(8, 50), loss_ratio=(0, 0.01)
    ),
    LinkKind.GEOSTATIONARY: LinkRange(
        share=0.06, download_mbps=(2, 25), upload_ratio=(0.1, 0.3), idle_rtt_ms=(540, 720), loss_ratio=(0.001, 0.03)
    ),
    LinkKind.LOW_ORBIT: LinkRange(
        share=0.14, download_mbps=(30, 220), upload_ratio=(0.08, 0.2), idle_rtt_ms=(35, 110), loss_ratio=(0.001, 0.02)
    ),
    LinkKind.MOBILE: LinkRange(
        share=0.12, download_mbps=(2, 50), upload_ratio=(0.15, 0.5), idle_rtt_ms=(25, 120), loss_ratio=(0, 0.02)
    ),
}
"""Each kind's ranges; the shares sum to 1."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A line at rest: its rates in Mbit/s, its round trip with no load, and what it loses."""

    kind: LinkKind
    download_mbps: float
    upload_mbps: float
    idle_rtt_ms: float
    loss_ratio: float


def draw_link(random: Random) -> Link:
    """Return a line of a kind drawn by the kinds' shares, its figures drawn within the kind's ranges."""
    (kind,) = random.choices(list(RANGES), weights=[each.share for each in RANGES.values()])
    reach = RANGES[kind]
    download_mbps = random.uniform(*reach.download_mbps)
    return Link(
        kind=kind,
        download_mbps=download_mbps,
        upload_mbps=download_mbps * random.uniform(*reach.upload_ratio),
        idle_rtt_ms=random.uniform(*reach.idle_rtt_ms),
        loss_ratio=random.uniform(*reach.loss_ratio),
    )
