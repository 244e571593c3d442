"""What a measuring server is told at its start."""

from pathlib import Path

import msgspec

ANY_FREE_PORT = 0


class TlsFiles(msgspec.Struct, frozen=True):
    """Where the server's certificate chain and its private key lie, both PEM."""

    certificate: Path
    key: Path


class MeasureSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses, ports and limits. A port of 0 takes any free one; the ready line says which."""

    bind: tuple[str, ...] = ()
    """Addresses to listen on; none means all of IPv4, and of IPv6 where this computer has it."""
    ndt7_port: int = 8081
    echo_port: int = 8082
    tls: TlsFiles | None = None
    ndt7_tls_port: int = 8444
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 8083
    max_tests: int = 64
    congestion_control: str | None = None
    """Name of a congestion control algorithm of the system; None takes bbr where it is, else the system's own."""
    echo_packets_per_s: float = 50.0
    """How many probes a second one source gets back in the long run; IPv6 sources count by /64."""
    echo_burst_count: int = 200
    echo_all_packets_per_s: float = 20_000.0
    """How many probes a second all sources together get back."""


class MeasureError(Exception):
    """The measuring server cannot start as told; the message says why and what to do."""


class Ready(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The line of JSON that the server's program prints on stdout once all ports are open."""

    event: str = "measure_server_ready"
    ndt7_port: int
    ndt7_tls_port: int | None
    echo_port: int
    metrics_port: int
    addresses: tuple[str, ...]
    congestion_control: str
