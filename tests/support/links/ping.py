"""Round trips by ping (iputils), which is not ours: a second opinion on delay, jitter and loss."""

import re
import shutil
import subprocess
from statistics import median, quantiles

import msgspec

from tests.support.links.namespace import Host

REPLY = re.compile(r"icmp_seq=(\d+) .*time=([\d.]+) ms")
GRACE_S = 20


def ping_obstacle() -> str | None:
    """Return why ping cannot be used, or None."""
    return None if shutil.which("ping") else "the program `ping` is missing: install iputils-ping"


class Echoes(msgspec.Struct, frozen=True, kw_only=True):
    """The round-trip time of each answered probe by its number, which begins at 1."""

    rtts_ms: dict[int, float]

    def median_ms(self) -> float:
        """Return the median of the answered ones."""
        return median(self.rtts_ms.values())

    def min_ms(self) -> float:
        """Return the least of the answered ones."""
        return min(self.rtts_ms.values())

    def p90_ms(self) -> float:
        """Return the 90th percentile of the answered ones."""
        return quantiles(self.rtts_ms.values(), n=10)[-1]

    def max_ms(self) -> float:
        """Return the largest of the answered ones."""
        return max(self.rtts_ms.values())

    def missing(self, probe_count: int) -> set[int]:
        """Return the numbers of those that got no answer."""
        return set(range(1, probe_count + 1)) - set(self.rtts_ms)


class RunningPing:
    """Probes that go on while the test does something to the link."""

    def __init__(self, host: Host, address: str, *, probe_count: int, spacing_s: float) -> None:
        """Start; answers are waited for as long as a second after the last probe."""
        self._length_s = probe_count * spacing_s
        self._process = host.popen(
            ["ping", "-c", str(probe_count), "-i", str(spacing_s), "-W", "1", address], stdout=subprocess.PIPE
        )

    def result(self) -> Echoes:
        """Wait for the end; raises TimeoutExpired where it does not come."""
        output, _ = self._process.communicate(timeout=self._length_s + GRACE_S)
        return Echoes(rtts_ms={int(number): float(time) for number, time in REPLY.findall(output)})


def ping(host: Host, address: str, *, probe_count: int, spacing_s: float = 0.02) -> Echoes:
    """Send all probes and return the answers."""
    return RunningPing(host, address, probe_count=probe_count, spacing_s=spacing_s).result()
