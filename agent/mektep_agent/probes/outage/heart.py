"""The heart of one assignment: where its beats go, and who else may answer."""

from collections.abc import Callable, Sequence
from random import Random
from urllib.parse import urlsplit

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines import tcp_connect, udp_echo
from mektep_agent.engines.icmp import IcmpEngine
from mektep_agent.engines.resolve import Resolve, resolve
from mektep_agent.engines.tcp_connect import TcpConnectEngine
from mektep_agent.engines.udp_echo import UdpEchoEngine
from mektep_agent.link.gateway import Gateway
from mektep_agent.probes.outage.heartbeat import Heartbeat
from mektep_agent.probes.outage.locate import Locator
from mektep_agent.probes.outage.place import Place

_MOST_OTHERS_COUNT = 3
_NAME_SCHEME = "dns"


class Heart(msgspec.Struct, frozen=True, kw_only=True):
    """What the vigil needs of an assignment; `target` is what its readings name."""

    target: str
    heartbeat: Heartbeat
    locator: Locator


def build_heart(
    echo_target: str | None,
    connect_target: str,
    elsewhere: Sequence[str],
    gateway: Callable[[], Gateway | None],
    time: TimeSource,
    random: Random,
    look_up: Resolve = resolve,
) -> Heart:
    """Return the heart for an echo server and a measuring server; raises ValueError for targets of another form.

    Without an echo server it beats by TCP alone.

    `elsewhere` are addresses of other targets, `dns://` names among them: those of other hosts are asked during an
    outage, so that a server that is away is not taken for a line that is. `look_up` finds all of them.
    """

    async def address_of(host: str, port: int, timeout_s: float) -> str:
        return (await look_up(host, port, timeout_s))[0].host

    service = None if echo_target is None else Place(*udp_echo.parse_target(echo_target), address_of)
    fallback = Place(*tcp_connect.parse_target(connect_target), address_of)
    own = [place for place in (service, fallback) if place is not None]
    own_hosts = {place.host for place in own}
    others: dict[str, Place] = {}
    names = [place for place in own if place.is_named]
    for target in elsewhere:
        host = urlsplit(target).hostname
        if host is None or host in own_hosts or host in others:
            continue
        if target.startswith(f"{_NAME_SCHEME}:"):
            names.append(Place(host, 0, address_of))
        elif not target.startswith("udp:"):
            others[host] = Place(*tcp_connect.parse_target(target), address_of)
    names += [place for place in others.values() if place.is_named]
    icmp, connect = IcmpEngine(time, random), TcpConnectEngine(time, look_up)
    heartbeat = Heartbeat(
        UdpEchoEngine(time, random, look_up), connect, service, fallback, names[0] if names else fallback
    )
    return Heart(
        target=echo_target or connect_target,
        heartbeat=heartbeat,
        locator=Locator(gateway, icmp, connect, heartbeat, list(others.values())[:_MOST_OTHERS_COUNT]),
    )
