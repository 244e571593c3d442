"""A transfer by iperf3, which is not ours, between two hosts of a laboratory: a second opinion on a link."""

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from tests.support.links.error import LaboratoryError
from tests.support.links.namespace import Host

PORT = 5201
GRACE_S = 20
MAX_UDP_PAYLOAD_BYTES = 1472


def iperf3_obstacle() -> str | None:
    """Return why iperf3 cannot be used, or None."""
    return None if shutil.which("iperf3") else "the program `iperf3` is missing: install iperf3"


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver got. Each interval is (seconds, payload bytes); packets are counted for UDP alone."""

    goodput_mbps: float
    intervals: tuple[tuple[float, int], ...]
    sent_packets: int | None = None
    lost_packets: int | None = None

    def interval_mbps(self) -> list[float]:
        """Return the rate of each interval."""
        return [size_bytes * 8 / 1e6 / length_s for length_s, size_bytes in self.intervals]


@contextmanager
def iperf3_server(host: Host) -> Generator[Host, None, None]:
    """Run a server in the host for as long as the block lasts."""
    server = host.popen(["iperf3", "--server", "--json"])
    try:
        host.await_listener(PORT)
        yield host
    finally:
        server.terminate()
        server.wait(GRACE_S)


def _words(server: Host, duration_s: int, options: tuple[str, ...]) -> list[str]:
    return ["iperf3", "--client", server.ipv4, "--time", str(duration_s), "--json", "--get-server-output", *options]


def _transfer(text: str) -> Transfer:
    document = msgspec.json.decode(text)
    if "error" in document:
        raise LaboratoryError(f"iperf3 failed: {document['error']}")
    is_reverse = bool(document["start"]["test_start"]["reverse"])
    receiver = document if is_reverse else document["server_output_json"]
    total = document["end"]["sum_received"] if "sum_received" in document["end"] else document["end"]["sum"]
    intervals = [interval["sum"] for interval in receiver["intervals"] if not interval["sum"]["omitted"]]
    return Transfer(
        goodput_mbps=total["bits_per_second"] / 1e6,
        intervals=tuple((interval["seconds"], interval["bytes"]) for interval in intervals),
        sent_packets=document["end"]["sum_sent"].get("packets"),
        lost_packets=total.get("lost_packets"),
    )


def transfer(client: Host, server: Host, *options: str, duration_s: int = 2, settle_s: int = 0) -> Transfer:
    """Send from client to server, or back with `--reverse`; what comes within `settle_s` does not count.

    The server must run. Raises LaboratoryError where iperf3 fails.
    """
    words = _words(server, duration_s, ("--omit", str(settle_s), *options))
    done = client.run(words, timeout_s=duration_s + settle_s + GRACE_S, check=False)
    return _transfer(done.stdout)


class RunningTransfer:
    """A transfer that goes on while the test does something to the link."""

    def __init__(self, client: Host, server: Host, *options: str, duration_s: int) -> None:
        """Start it; the server must run."""
        self._duration_s = duration_s
        self._process = client.popen(_words(server, duration_s, options), stdout=subprocess.PIPE)

    def result(self) -> Transfer:
        """Wait for its end; raises LaboratoryError where iperf3 failed, TimeoutExpired where it hangs."""
        output, _ = self._process.communicate(timeout=self._duration_s + GRACE_S)
        return _transfer(output)
