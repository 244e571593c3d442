"""The measurement messages of NDT7: one JSON object in a text message, times in µs since the test began.

On the wire the names are NDT7's; here they are ours, with their units.
"""

import socket
from datetime import datetime

import msgspec

from mektep_collector.measure.tcp_info import BbrState, read_bbr_state, read_tcp_info
from mektep_wire import Direction


class ConnectionInfo(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={"client": "Client", "server": "Server", "uuid": "UUID", "started_at": "StartTime"},
):
    """Which connection a measurement speaks of. Only servers send it."""

    client: str
    server: str
    uuid: str
    started_at: datetime


class AppInfo(
    msgspec.Struct, frozen=True, kw_only=True, rename={"elapsed_us": "ElapsedTime", "payload_bytes": "NumBytes"}
):
    """What the application moved: payload of binary messages, without framing and TLS."""

    elapsed_us: int
    payload_bytes: int


class BbrInfo(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "bandwidth_bytes_per_s": "BW",
        "min_rtt_us": "MinRTT",
        "pacing_gain": "PacingGain",
        "cwnd_gain": "CwndGain",
        "elapsed_us": "ElapsedTime",
    },
):
    """BBR's view of the path; gains are times 256."""

    bandwidth_bytes_per_s: int
    min_rtt_us: int
    pacing_gain: int
    cwnd_gain: int
    elapsed_us: int


class Measurement(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "connection": "ConnectionInfo",
        "origin": "Origin",
        "test": "Test",
        "app": "AppInfo",
        "bbr": "BBRInfo",
        "tcp": "TCPInfo",
    },
):
    """One message. What the kernel does not tell is left out."""

    connection: ConnectionInfo
    origin: str
    test: Direction
    app: AppInfo
    bbr: BbrInfo | None = None
    tcp: dict[str, int] | None = None
    """The kernel's fields by their names in NDT7, and the time since the test began."""


def format_address(address: tuple[str, int]) -> str:
    """Return `1.2.3.4:5678` or `[::1]:5678`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def measure(
    connection: socket.socket, facts: ConnectionInfo, direction: Direction, elapsed_s: float, payload_bytes: int
) -> Measurement:
    """Ask the kernel how `connection` stands and return the message that says so."""
    elapsed_us = int(elapsed_s * 1e6)
    tcp = read_tcp_info(connection)
    bbr = read_bbr_state(connection)
    return Measurement(
        connection=facts,
        origin="server",
        test=direction,
        app=AppInfo(elapsed_us=elapsed_us, payload_bytes=payload_bytes),
        bbr=None if bbr is None else _bbr_info(bbr, elapsed_us),
        tcp=None if tcp is None else {**tcp, "ElapsedTime": elapsed_us},
    )


def _bbr_info(bbr: BbrState, elapsed_us: int) -> BbrInfo:
    return BbrInfo(
        bandwidth_bytes_per_s=bbr.bandwidth_bytes_per_s,
        min_rtt_us=bbr.min_rtt_us,
        pacing_gain=bbr.pacing_gain,
        cwnd_gain=bbr.cwnd_gain,
        elapsed_us=elapsed_us,
    )
