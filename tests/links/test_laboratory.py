"""The laboratory against programs that are not ours: what iperf3 and ping say of a link must be what was asked for.

Bands: TCP and UDP goodput within 1 % of the truth, the least round trip within 1 ms, losses to the packet. Tests of
times and rates are given three goes: see `measured_again_if_disturbed`.
"""

from time import sleep

import pytest

from tests.support.links import Laboratory, Link, Shape, laboratory, symmetric
from tests.support.links.iperf3 import (
    MAX_UDP_PAYLOAD_BYTES,
    RunningTransfer,
    Transfer,
    iperf3_server,
    transfer,
)
from tests.support.links.patience import await_count, measured_again_if_disturbed
from tests.support.links.ping import RunningPing, ping

pytestmark = [pytest.mark.rights, pytest.mark.peer, pytest.mark.slow, pytest.mark.alone]

DEEP_QUEUE_MS = 1000
"""Deep enough for a few seconds without loss, so that nothing but the rate decides the goodput."""


def udp(rate_mbps: float) -> tuple[str, ...]:
    return ("--udp", "--bitrate", f"{rate_mbps}M", "--length", str(MAX_UDP_PAYLOAD_BYTES))


def download(lab: Laboratory, *options: str, duration_s: int = 2, settle_s: int = 0) -> Transfer:
    with iperf3_server(lab.server):
        return transfer(lab.school, lab.server, "--reverse", *options, duration_s=duration_s, settle_s=settle_s)


@pytest.mark.parametrize(("rate_mbps", "rtt_ms"), [(5, 20), (100, 80), (300, 20)])
@measured_again_if_disturbed
def test_tcp_download_is_the_rate_less_headers(rate_mbps: float, rtt_ms: float) -> None:
    with laboratory(symmetric(rate_mbps, rtt_ms, queue_ms=DEEP_QUEUE_MS)) as lab:
        got = download(lab, settle_s=1)
        assert got.goodput_mbps == pytest.approx(lab.links[0].link.down.tcp_goodput_mbps, rel=0.01)
        assert lab.links[0].overrun_packets() == 0


@measured_again_if_disturbed
def test_each_direction_has_its_own_shape() -> None:
    down = Shape(rate_mbps=20, delay_ms=15, queue_ms=DEEP_QUEUE_MS)
    up = Shape(rate_mbps=5, delay_ms=35, queue_ms=DEEP_QUEUE_MS)
    with laboratory(Link(down=down, up=up)) as lab, iperf3_server(lab.server):
        upload = transfer(lab.school, lab.server, settle_s=1)
        assert upload.goodput_mbps == pytest.approx(up.tcp_goodput_mbps, rel=0.01)
        back = transfer(lab.school, lab.server, "--reverse", *udp(30), settle_s=1)
        assert back.goodput_mbps == pytest.approx(down.udp_goodput_mbps, rel=0.01)
        assert 50 <= ping(lab.school, lab.server.ipv4, probe_count=20).min_ms() <= 51.5


@pytest.mark.parametrize(("rtt_ms", "probe_count"), [(20, 50), (80, 50), (600, 20)])
@measured_again_if_disturbed
def test_round_trip_is_the_sum_of_delays(rtt_ms: float, probe_count: int) -> None:
    with laboratory(symmetric(100, rtt_ms)) as lab:
        for address in (lab.server.ipv4, lab.server.ipv6):
            echoes = ping(lab.school, address, probe_count=probe_count)
            assert not echoes.missing(probe_count)
            assert rtt_ms <= echoes.min_ms() <= rtt_ms + 1
            assert echoes.median_ms() <= rtt_ms + 2


@measured_again_if_disturbed
def test_jitter_adds_between_nothing_and_all_of_itself() -> None:
    link = Link(down=Shape(rate_mbps=100, delay_ms=20, jitter_ms=20), up=Shape(rate_mbps=100, delay_ms=20))
    with laboratory(link) as lab:
        echoes = ping(lab.school, lab.server.ipv4, probe_count=120, spacing_s=0.025)
        assert 40 <= echoes.min_ms() <= 42
        assert echoes.p90_ms() == pytest.approx(58, abs=2)
        assert echoes.median_ms() == pytest.approx(50, abs=2)


def test_loss_is_counted_to_the_packet_and_the_same_for_a_seed() -> None:
    probe_count = 300
    lossy = Shape(rate_mbps=100, delay_ms=2, loss_ratio=0.05, seed=7)
    runs = []
    for seed in (7, 7, 8):
        clean = Shape(rate_mbps=100, delay_ms=2)
        with laboratory(Link(down=clean, up=Shape(rate_mbps=100, delay_ms=2, loss_ratio=0.05, seed=seed))) as lab:
            before = lab.counters().up
            echoes = ping(lab.school, lab.server.ipv4, probe_count=probe_count, spacing_s=0.002)
            after = lab.counters().up
            missing = echoes.missing(probe_count)
            assert after.lost_packets - before.lost_packets == len(missing)
            assert after.arrived_packets - before.arrived_packets == probe_count
            assert len(missing) / probe_count == pytest.approx(lossy.loss_ratio, abs=0.025)
            runs.append(missing)
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@measured_again_if_disturbed
def test_what_the_queue_has_no_room_for_is_dropped_and_counted() -> None:
    with laboratory(symmetric(20, 40, queue_ms=50)) as lab:
        got = download(lab, *udp(30))
        counters = lab.counters().down
        assert got.goodput_mbps == pytest.approx(lab.links[0].link.down.udp_goodput_mbps, rel=0.02)
        assert got.sent_packets is not None
        assert got.lost_packets is not None
        # Beside the data runs iperf3's control connection; losses after the last packet that came it cannot know.
        assert counters.arrived_packets == pytest.approx(got.sent_packets, abs=60)
        assert got.lost_packets <= counters.queue_full_packets <= got.lost_packets + 150
        assert counters.deepest_queue_bytes <= lab.links[0].link.down.queue_limit_bytes
        assert (
            counters.arrived_packets == counters.delivered_packets + counters.dropped_packets + counters.transit_packets
        )


@measured_again_if_disturbed
def test_under_load_the_round_trip_grows_by_the_queue() -> None:
    with laboratory(symmetric(20, 40, queue_ms=200)) as lab, iperf3_server(lab.server):
        idle = ping(lab.school, lab.server.ipv4, probe_count=20)
        running = RunningTransfer(lab.school, lab.server, "--reverse", *udp(22), duration_s=4)
        await_count(lambda: lab.counters().down.queue_full_packets, 1)
        loaded = ping(lab.school, lab.server.ipv4, probe_count=30, spacing_s=0.05)
        running.result()
        assert idle.max_ms() < 60
        assert loaded.median_ms() == pytest.approx(240, rel=0.03)


def test_a_cut_loses_everything_until_it_is_restored() -> None:
    probe_count = 150
    with laboratory(symmetric(20, 200)) as lab:
        running = RunningPing(lab.school, lab.server.ipv4, probe_count=probe_count, spacing_s=0.02)
        await_count(lambda: lab.counters().down.delivered_packets, 30)
        lab.cut()
        delivered = lab.counters().down.delivered_packets
        assert lab.counters().down.cut_packets >= 3, "what was on its way is lost too"
        await_count(lambda: lab.counters().up.cut_packets, 40)
        assert lab.counters().down.delivered_packets == delivered
        lab.restore()
        missing = running.result().missing(probe_count)
        counters = lab.counters()
        assert len(missing) == counters.up.cut_packets + counters.down.cut_packets
        assert missing == set(range(min(missing), max(missing) + 1))
        assert 40 <= len(missing) <= 70


def test_tcp_outlives_a_cut() -> None:
    with laboratory(symmetric(20, 40)) as lab, iperf3_server(lab.server):
        running = RunningTransfer(lab.school, lab.server, "--reverse", "--interval", "0.2", duration_s=4)
        await_count(lambda: lab.counters().down.delivered_packets, 1500)
        lab.cut()
        await_count(lambda: lab.counters().down.cut_packets, 1)
        sleep(0.8)
        lab.restore()
        rates = running.result().interval_mbps()
        assert min(rates) == 0
        assert max(rates[-3:]) > 10


@measured_again_if_disturbed
def test_a_change_takes_hold_during_a_transfer() -> None:
    with laboratory(symmetric(20, 20)) as lab, iperf3_server(lab.server):
        running = RunningTransfer(lab.school, lab.server, "--reverse", *udp(25), "--interval", "0.25", duration_s=4)
        await_count(lambda: lab.counters().down.delivered_packets, 3000)
        slower = Shape(rate_mbps=5, delay_ms=10)
        lab.change(down=slower)
        rates = running.result().interval_mbps()
        assert rates[3] == pytest.approx(20 * 1472 / 1500, rel=0.03)
        assert rates[-3] == pytest.approx(slower.udp_goodput_mbps, rel=0.05)


@measured_again_if_disturbed
def test_a_token_bucket_lets_the_first_bytes_pass_faster() -> None:
    burst = Shape(rate_mbps=10, delay_ms=10, burst_bytes=1_500_000, burst_rate_mbps=40)
    with laboratory(Link(down=burst, up=Shape(rate_mbps=10, delay_ms=10))) as lab:
        got = download(lab, *udp(50), "--interval", "0.1")
        rates = got.interval_mbps()
        # 1.5 MB x 40 / 30 = 2 MB pass at 40 Mbit/s: 0.4 s.
        assert rates[2] == pytest.approx(40 * 1472 / 1500, rel=0.05)
        assert rates[10] == pytest.approx(10 * 1472 / 1500, rel=0.05)
        passed_bytes = sum(size_bytes for _, size_bytes in got.intervals)
        whole_s = sum(length_s for length_s, _ in got.intervals)
        expected_bytes = (0.4 * 40e6 + (whole_s - 0.4) * 10e6) / 8 * 1472 / 1500
        assert passed_bytes == pytest.approx(expected_bytes, rel=0.03)


@measured_again_if_disturbed
def test_links_stand_in_a_row() -> None:
    classroom = Link(down=Shape(rate_mbps=200, delay_ms=1), up=Shape(rate_mbps=200, delay_ms=1))
    access = Link(
        down=Shape(rate_mbps=20, delay_ms=20, queue_ms=DEEP_QUEUE_MS),
        up=Shape(rate_mbps=5, delay_ms=20, queue_ms=DEEP_QUEUE_MS),
    )
    with laboratory(classroom, access) as lab:
        school, router, server = lab.hosts
        for far in (server.ipv4, server.ipv6):
            assert 42 <= ping(school, far, probe_count=20).min_ms() <= 44
        assert 2 <= ping(school, router.ipv4, probe_count=20).min_ms() <= 3
        got = download(lab, settle_s=1)
        assert got.goodput_mbps == pytest.approx(access.down.tcp_goodput_mbps, rel=0.01)
        lab.links[1].cut()
        assert ping(school, router.ipv4, probe_count=3).missing(3) == set()
        assert ping(school, server.ipv4, probe_count=3).missing(3) == {1, 2, 3}
