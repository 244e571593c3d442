"""How a host's TCP sends where the program does not choose: set for one host, whatever the machine's own choice is."""

import fcntl
from enum import StrEnum
from pathlib import Path

from tests.support.links.error import LaboratoryError
from tests.support.links.namespace import Host

AVAILABLE = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
ALLOWED = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")
LOCK = Path("/run/mektep-lab.lock")


class CongestionControl(StrEnum):
    """An algorithm by the kernel's name."""

    CUBIC = "cubic"
    BBR = "bbr"
    RENO = "reno"


def is_available(algorithm: CongestionControl) -> bool:
    """Return whether this machine's kernel has it."""
    return algorithm.value in AVAILABLE.read_text("ascii").split()


def choose(host: Host, algorithm: CongestionControl) -> None:
    """Make it the host's default; raises LaboratoryError.

    A namespace may choose only what the whole machine allows to everybody, which leaves out cubic where bbr is the
    machine's default. So the machine allows it for the moment of choosing, one laboratory at a time.
    """
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        allowed = ALLOWED.read_text("ascii").split()
        if algorithm.value in allowed:
            host.set("net.ipv4.tcp_congestion_control", algorithm.value)
            return
        try:
            ALLOWED.write_text(" ".join([*allowed, algorithm.value]), "ascii")
        except OSError as error:
            raise LaboratoryError(f"congestion control {algorithm.value} cannot be chosen here: {error}") from error
        try:
            host.set("net.ipv4.tcp_congestion_control", algorithm.value)
        finally:
            ALLOWED.write_text(" ".join(allowed), "ascii")
