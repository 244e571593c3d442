"""Hosts in a row, joined by links of known truth: school - server, or school - router - provider and so on.

The one thing to know of::

    with laboratory(symmetric(20, 40)) as lab:
        lab.server.popen(["iperf3", "--server"])
        lab.school.run(["iperf3", "--client", lab.server.ipv4])
        lab.links[0].cut()

Truth: IP bytes at the rate, so TCP goodput is rate * 1448 / 1500; the round trip is the sum of the delays. How well
that is kept on this machine, tests/links/test_laboratory.py shows with programs that are not ours.
"""

import os
import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from tests.support.links.congestion import CongestionControl, choose
from tests.support.links.error import LaboratoryError
from tests.support.links.forwarder import Forwarder, LinkCounters, Way, compiled, compiler_obstacle
from tests.support.links.namespace import Host, fresh_prefix, remove_leftovers
from tests.support.links.port import FAST_MBPS, set_port_speed
from tests.support.links.shape import MTU_BYTES, Link, Shape

TUN = Path("/dev/net/tun")
TRANSMIT_QUEUE_PACKETS = 10_000
"""What waits between a host's kernel and the forwarder, so that nothing is dropped before it is counted."""


class Joint:
    """A link in place: can be changed, cut, restored and asked what crossed."""

    def __init__(self, link: Link, forwarder: Forwarder, sides: tuple[tuple[Host, str], tuple[Host, str]]) -> None:
        """Take a running forwarder between two (host, device); who made it closes it."""
        self.link = link
        self._forwarder = forwarder
        self._sides = sides
        self.change(down=link.down, up=link.up)

    def change(self, *, down: Shape | None = None, up: Shape | None = None) -> None:
        """Give one or both directions a new shape, from the next packet on."""
        for way, shape in ((Way.DOWN, down), (Way.UP, up)):
            if shape is not None:
                self._forwarder.shape(way, shape)
        self.link = Link(down=down or self.link.down, up=up or self.link.up)

    def cut(self) -> None:
        """Let nothing pass, and lose what is on its way. Neither side is told."""
        self._forwarder.cut()

    def restore(self) -> None:
        """Let packets pass again."""
        self._forwarder.restore()

    def counters(self) -> LinkCounters:
        """Return what crossed and what did not since the link was made."""
        return self._forwarder.counters()

    def overrun_packets(self) -> int:
        """Return how many packets the kernels dropped before the forwarder saw them. Above 0 the truth is in doubt."""
        dropped = 0
        for host, device in self._sides:
            (statistics,) = msgspec.json.decode(host.ip("-json", "-statistics", "link", "show", "dev", device))
            dropped += statistics["stats64"]["tx"]["dropped"]
        return dropped

    def forwarder_cpu_s(self) -> float:
        """Return the processor time that the forwarder took so far."""
        words = Path(f"/proc/{self._forwarder.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Laboratory:
    """Hosts and links in a row, from the school's end to the server's."""

    def __init__(self, hosts: tuple[Host, ...], links: tuple[Joint, ...]) -> None:
        """Take what is made; who made it closes it."""
        self.hosts = hosts
        self.links = links

    @property
    def school(self) -> Host:
        """The first host."""
        return self.hosts[0]

    @property
    def server(self) -> Host:
        """The last host."""
        return self.hosts[-1]

    def change(self, *, down: Shape | None = None, up: Shape | None = None) -> None:
        """Change the school's link."""
        self.links[0].change(down=down, up=up)

    def cut(self) -> None:
        """Cut the school's link."""
        self.links[0].cut()

    def restore(self) -> None:
        """Restore the school's link."""
        self.links[0].restore()

    def counters(self) -> LinkCounters:
        """Return what crossed the school's link."""
        return self.links[0].counters()


def obstacle() -> str | None:
    """Return why there can be no laboratory on this machine, in words for a person, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root: run the link tests as root"
    if not TUN.exists():
        return f"{TUN} is missing: load the kernel's tun module, or give the container that device"
    if shutil.which("ip") is None:
        return "the program `ip` is missing: install iproute2"
    if (missing := compiler_obstacle()) is not None:
        return missing
    try:
        compiled()
        Host(f"{fresh_prefix()}-trial", "trial").close()
    except LaboratoryError as error:
        return f"this machine makes no network namespace or no forwarder: {error}"
    return None


def _titles(count: int) -> list[str]:
    middle = ["router"] if count == 3 else [f"router{number}" for number in range(1, count - 1)]
    return ["school", *middle, "server"]


def _join(stack: ExitStack, index: int, link: Link, hosts: list[Host]) -> Joint:
    """Lay link `index` between hosts `index` and `index + 1`; .1 is the school's side, .2 the server's."""
    device = f"link{index}"
    near, far = hosts[index], hosts[index + 1]
    forwarder = stack.enter_context(Forwarder((near.path, device), (far.path, device)))
    for number, host in ((1, near), (2, far)):
        host.ip("link", "set", device, "mtu", str(MTU_BYTES), "txqueuelen", str(TRANSMIT_QUEUE_PACKETS), "up")
        set_port_speed(host.path, device, FAST_MBPS)
        host.ip("address", "add", f"10.77.{index}.{number}/24", "dev", device)
        host.ip("address", "add", f"fd77:0:0:{index}::{number}/64", "dev", device, "nodad")
    return Joint(link, forwarder, ((near, device), (far, device)))


def _route(hosts: list[Host]) -> None:
    """Let every host reach every other: onwards over its right link, backwards over its left."""
    last = len(hosts) - 1
    for position, host in enumerate(hosts):
        if 0 < position < last:
            host.set("net.ipv4.ip_forward", "1")
            host.set("net.ipv6.conf.all.forwarding", "1")
        for index in range(last):
            if index > position:
                via4, via6 = f"10.77.{position}.2", f"fd77:0:0:{position}::2"
            elif index < position - 1:
                via4, via6 = f"10.77.{position - 1}.1", f"fd77:0:0:{position - 1}::1"
            else:
                continue
            host.ip("route", "add", f"10.77.{index}.0/24", "via", via4)
            host.ip("route", "add", f"fd77:0:0:{index}::/64", "via", via6)


@contextmanager
def laboratory(
    *links: Link, congestion_control: CongestionControl = CongestionControl.CUBIC
) -> Generator[Laboratory, None, None]:
    """Build hosts joined by `links`, the school's first; take everything down at the end, whatever happened.

    Programs that still run in a host are ended. Raises LaboratoryError; ask `obstacle()` before.
    """
    if not links:
        raise ValueError("a laboratory needs one link at least")
    remove_leftovers()
    prefix = fresh_prefix()
    hosts: list[Host] = []
    with ExitStack() as stack:
        for title in _titles(len(links) + 1):
            host = Host(f"{prefix}-{title}", title)
            stack.callback(host.close)
            choose(host, congestion_control)
            hosts.append(host)
        joints = [_join(stack, index, link, hosts) for index, link in enumerate(links)]
        _route(hosts)
        for host, index, number in [(hosts[0], 0, 1)] + [(host, i, 2) for i, host in enumerate(hosts[1:])]:
            host.ipv4, host.ipv6 = f"10.77.{index}.{number}", f"fd77:0:0:{index}::{number}"
        yield Laboratory(tuple(hosts), tuple(joints))
