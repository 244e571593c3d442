"""All probes by name, built for the targets that are asked for: one line a probe."""

from collections.abc import Mapping
from random import Random
from urllib.parse import urlsplit

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.assigned import AssignedTargets
from mektep_agent.engines.dns import DnsEngine
from mektep_agent.engines.engine import Limits, ThroughputEngine
from mektep_agent.engines.icmp import IcmpEngine
from mektep_agent.engines.ndt7 import Ndt7Engine
from mektep_agent.engines.resolve import resolve
from mektep_agent.engines.tcp_connect import TcpConnectEngine
from mektep_agent.engines.udp_echo import DEFAULT_PORT, UdpEchoEngine
from mektep_agent.link.gateway import default_gateway
from mektep_agent.probes.latency import LatencyProbe
from mektep_agent.probes.manner import AlwaysFullLength, Manner
from mektep_agent.probes.path import PathProbe
from mektep_agent.probes.probe import Probe
from mektep_agent.probes.throughput import ThroughputProbe
from mektep_agent.probes.under_load import UnderLoad
from mektep_wire import Assignment, Direction, EngineName, ProbeName

FULL_LENGTH_LIMITS = Limits()


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """Where the probes measure to."""

    throughput: str
    echo: str
    path: str


def targets_of(assignment: Assignment) -> Targets:
    """Return the targets that an assignment names; those that it leaves out follow from the throughput target.

    Raises ValueError where it names none for throughput.
    """
    named = {target.probe: target.address for target in reversed(assignment.targets)}
    if ProbeName.THROUGHPUT not in named:
        raise ValueError("the assignment names no target for throughput")
    derived = targets_from_server(named[ProbeName.THROUGHPUT])
    return Targets(
        throughput=derived.throughput,
        echo=named.get(ProbeName.LATENCY, derived.echo),
        path=named.get(ProbeName.PATH, derived.path),
    )


def targets_from_server(server: str, echo: str | None = None) -> Targets:
    """Return the targets of one measuring server, given as `ws://host:port` or `wss://host:port`."""
    host = urlsplit(server).hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    return Targets(throughput=server, echo=echo or f"udp://{bracketed}:{DEFAULT_PORT}", path=server)


def build_probes(
    targets: Targets,
    time: TimeSource,
    random: Random,
    *,
    limits: Limits = FULL_LENGTH_LIMITS,
    directions: tuple[Direction, ...] = (Direction.DOWNLOAD, Direction.UPLOAD),
    engine: ThroughputEngine | None = None,
    manner: Manner | None = None,
    assigned: AssignedTargets | None = None,
) -> Mapping[ProbeName, Probe]:
    """Return every probe, ready to run; throughput by `engine`, by NDT7 where none is given.

    Tests run to full length where no other `manner` is given. `assigned` looks the targets up where an assignment names
    them; without it they are a person's own choice.
    """
    look_up = resolve if assigned is None else assigned.resolve
    udp, tcp = UdpEchoEngine(time, random, look_up), TcpConnectEngine(time, look_up)
    dns = DnsEngine(time) if assigned is None else DnsEngine(time, assigned.permits)
    # iperf3's server serves one connection at a time, and turns others away aloud.
    connect_target = None if engine is not None and engine.name is EngineName.IPERF3 else targets.path
    return {
        ProbeName.THROUGHPUT: ThroughputProbe(
            engine or Ndt7Engine(time=time, look_up=look_up),
            targets.throughput,
            manner or AlwaysFullLength(),
            time,
            random,
            limits=limits,
            directions=directions,
            beside=lambda: UnderLoad(udp, targets.echo, tcp, connect_target, time, look_up),
        ),
        ProbeName.LATENCY: LatencyProbe(udp, targets.echo, tcp, targets.path, time, random),
        ProbeName.PATH: PathProbe(default_gateway, IcmpEngine(time, random), dns, tcp, targets.path, time, random),
    }
