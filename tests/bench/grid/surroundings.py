"""What goes on around a test on a link of the grid: others' traffic of a steady rate, and a link that changes."""

from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle
from threading import Event, Thread

import msgspec

from tests.bench.grid.entry import Entry
from tests.support.links import Host, Laboratory, Shape

_PORTS = (5301, 5302)
_PAYLOAD_BYTES, _HEADER_BYTES = 1_372, 28
_LONGEST_S = 600


@contextmanager
def surroundings(lab: Laboratory, entry: Entry) -> Generator[None]:
    """Keep them up for as long as the block runs."""
    ended = Event()
    changing = Thread(target=_go_through, args=(lab, entry, ended))
    for sender, receiver, mbps, port in (
        (lab.server, lab.school, entry.down_cross_mbps, _PORTS[0]),
        (lab.school, lab.server, entry.up_cross_mbps, _PORTS[1]),
    ):
        if mbps:
            _send(sender, receiver, mbps, port)
    if entry.course:
        changing.start()
    try:
        yield
    finally:
        ended.set()
        if entry.course:
            changing.join()


def _send(sender: Host, receiver: Host, ip_mbps: float, port: int) -> None:
    """Let iperf3 send datagrams so that their IP bytes come at `ip_mbps`; the laboratory ends it."""
    receiver.popen(["iperf3", "--server", "--port", str(port)])
    receiver.await_listener(port)
    payload_mbps = ip_mbps * _PAYLOAD_BYTES / (_PAYLOAD_BYTES + _HEADER_BYTES)
    rate = ["--bitrate", f"{payload_mbps:.4f}M", "--length", str(_PAYLOAD_BYTES), "--time", str(_LONGEST_S)]
    sender.popen(["iperf3", "--client", receiver.ipv4, "--port", str(port), "--udp", *rate])


def _go_through(lab: Laboratory, entry: Entry, ended: Event) -> None:
    for step in cycle(entry.course):
        lab.change(
            down=_stepped(entry.link.down, step.rate_ratio, step.rtt_ms),
            up=_stepped(entry.link.up, step.rate_ratio, step.rtt_ms),
        )
        if ended.wait(step.lasts_s):
            return


def _stepped(shape: Shape, rate_ratio: float, rtt_ms: float) -> Shape:
    return msgspec.structs.replace(shape, rate_mbps=shape.rate_mbps * rate_ratio, delay_ms=rtt_ms / 2)
