"""The half of the grid on which the method's constants were chosen. No figure is quoted from it."""

from typing import Final

from tests.bench.grid.entry import Step, entry, policed
from tests.support.links import CongestionControl

_BBR = CongestionControl.BBR
_ORBIT = (Step(lasts_s=15, rtt_ms=40), Step(lasts_s=15, rtt_ms=65), Step(lasts_s=15, rtt_ms=30))
_HALVES = (Step(lasts_s=2, rtt_ms=30), Step(lasts_s=2, rtt_ms=30, rate_ratio=0.5))

ENTRIES: Final = (
    entry("satellite 1/0.5", 1, 0.5, 600, queue_ms=800),
    entry("satellite 2/0.7", 2, 0.7, 600, queue_ms=800),
    entry("satellite 10/3", 10, 3, 580, queue_ms=400),
    entry("satellite 30/5", 30, 5, 560, queue_ms=300),
    entry("0.5/0.25 at 300", 0.5, 0.25, 300, queue_ms=1000),
    entry("5/1", 5, 1, 80),
    entry("20/5", 20, 5, 40),
    entry("50/10", 50, 10, 30),
    entry("100/20", 100, 20, 20),
    entry("300/100", 300, 100, 15),
    entry("200/50", 200, 50, 60),
    entry("deep queue 5/1", 5, 1, 40, queue_ms=2000),
    entry("deep queue 20/5", 20, 5, 40, queue_ms=1500),
    entry("shallow queue 20/5", 20, 5, 40, queue_ms=20),
    entry("shallow queue 50/20", 50, 20, 20, queue_ms=20),
    entry("1 % loss 20/5", 20, 5, 100, loss_ratio=0.01, seed=2),
    entry("1 % loss 20/5, BBR up", 20, 5, 100, loss_ratio=0.01, up_sender=_BBR, seed=3),
    entry("0.2 % loss 50/10", 50, 10, 30, loss_ratio=0.002, seed=4),
    entry("0.5 % loss 8/2", 8, 2, 60, loss_ratio=0.005, seed=5),
    entry("0.1 % loss 100/30", 100, 30, 20, loss_ratio=0.001, seed=6),
    entry("jitter 15 ms 20/5", 20, 5, 50, jitter_ms=15, seed=7),
    entry("jitter 8 ms 100/20", 100, 20, 30, jitter_ms=8, seed=8),
    entry("jitter 40 ms 5/1", 5, 1, 100, jitter_ms=40, seed=9),
    entry("burst 4 MB x3 10/4", 10, 4, 30, burst_bytes=4_000_000),
    entry("burst 9 MB x4 20/5", 20, 5, 20, burst_bytes=9_000_000, burst_times=4.0),
    policed("policer 10/4 on 100", 10, 4, 30, line_mbps=100, bucket_s=0.2, seed=10),
    policed("policer 20/6 on 100", 20, 6, 40, line_mbps=100, bucket_s=1.0, seed=11),
    entry("others use 6 of 20, 1 of 5", 20, 5, 40, cross_mbps=(6, 1), seed=12),
    entry("low orbit 80/12", 80, 12, 40, course=_ORBIT, seed=13),
    entry("halves every 2 s 20/8", 20, 8, 30, course=_HALVES, seed=14),
)
