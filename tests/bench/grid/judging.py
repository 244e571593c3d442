"""The half of the grid that judges the method: other links than those on which its constants were chosen."""

from typing import Final

from tests.bench.grid.entry import Step, entry, policed
from tests.support.links import CongestionControl

_BBR, _CUBIC = CongestionControl.BBR, CongestionControl.CUBIC
_ORBIT = (Step(lasts_s=15, rtt_ms=45), Step(lasts_s=15, rtt_ms=28), Step(lasts_s=15, rtt_ms=58))
_FALLS = (Step(lasts_s=3, rtt_ms=25), Step(lasts_s=3, rtt_ms=25, rate_ratio=1 / 3))

ENTRIES: Final = (
    entry("satellite 3/1", 3, 1, 590, queue_ms=700, seed=21),
    entry("satellite 15/4", 15, 4, 600, queue_ms=500, has_peers=True, seed=22),
    # Linux offers 3 MB of window at most unless told otherwise: over 570 ms, 42 Mbit/s and not the link's rate.
    entry("satellite 50/6, BBR up", 50, 6, 570, queue_ms=400, up_sender=_BBR, seed=23),
    entry("0.8/0.5 at 200", 0.8, 0.5, 200, queue_ms=600, has_peers=True, seed=24),
    entry("4/2", 4, 2, 120, seed=25),
    entry("12/3", 12, 3, 50, seed=26),
    entry("30/8", 30, 8, 25, seed=27),
    entry("80/40", 80, 40, 10, has_peers=True, seed=28),
    entry("150/30", 150, 30, 35, seed=29),
    entry("300/60", 300, 60, 25, has_peers=True, seed=30),
    entry("deep queue 8/2", 8, 2, 30, queue_ms=2000, has_peers=True, seed=31),
    entry("deep queue 40/10, cubic down", 40, 10, 60, queue_ms=1000, down_sender=_CUBIC, seed=32),
    entry("shallow queue 15/6", 15, 6, 30, queue_ms=20, seed=33),
    entry("shallow queue 100/25", 100, 25, 15, queue_ms=30, seed=34),
    entry("1 % loss 10/3, BBR up", 10, 3, 70, loss_ratio=0.01, up_sender=_BBR, seed=35),
    entry("0.7 % loss 40/10", 40, 10, 80, loss_ratio=0.007, has_peers=True, seed=36),
    entry("0.3 % loss 25/6, BBR up", 25, 6, 45, loss_ratio=0.003, up_sender=_BBR, seed=37),
    entry("0.1 % loss 120/20", 120, 20, 30, loss_ratio=0.001, seed=38),
    entry("jitter 10 ms 30/8", 30, 8, 40, jitter_ms=10, seed=39),
    entry("jitter 25 ms 8/2", 8, 2, 80, jitter_ms=25, seed=40),
    entry("jitter 5 ms, 0.2 % loss 60/12, BBR up", 60, 12, 35, jitter_ms=5, loss_ratio=0.002, up_sender=_BBR, seed=41),
    entry("burst 2 MB x3 6/3", 6, 3, 40, burst_bytes=2_000_000, seed=42),
    entry("burst 6 MB x3 25/10", 25, 10, 30, burst_bytes=6_000_000, seed=43),
    entry("burst 20 MB x3 50/25", 50, 25, 20, burst_bytes=20_000_000, seed=44),
    policed("policer 8/3 on 50", 8, 3, 45, line_mbps=50, bucket_s=0.3, seed=45),
    policed("policer 30/10 on 200", 30, 10, 20, line_mbps=200, bucket_s=1.5, seed=46),
    entry("others use 10 of 40, 3 of 10", 40, 10, 35, cross_mbps=(10, 3), seed=47),
    entry("others use 1 of 4, 0.5 of 2", 4, 2, 70, cross_mbps=(1, 0.5), seed=48),
    entry("low orbit 150/20", 150, 20, 45, course=_ORBIT, seed=49),
    entry("falls to a third every 3 s 30/9", 30, 9, 25, course=_FALLS, seed=50),
)
