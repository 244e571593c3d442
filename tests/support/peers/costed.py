"""Run a program to its end and know what it cost: used in the process that stands beside the program alone."""

import resource
import subprocess
from collections.abc import Mapping, Sequence

from tests.support.peers.result import PeerRun


def costed(words: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> tuple[str, float, int]:
    """Return what the program printed, its processor seconds and its peak of memory in bytes.

    Raises CalledProcessError, TimeoutExpired. This process must have no other children.
    """
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_s, check=False, env=dict(environment))
    if done.returncode != 0:
        error = subprocess.CalledProcessError(done.returncode, list(words), done.stdout, done.stderr)
        # The process that asked sees this one's traceback alone: its last line is then the program's own complaint.
        error.add_note(done.stderr.strip()[-500:])
        raise error
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, used.ru_utime + used.ru_stime, used.ru_maxrss * 1_024


def result(download_bps: float, upload_bps: float, cpu_s: float, rss_bytes: int) -> PeerRun:
    """Return a run from figures in bit/s."""
    return PeerRun(download_mbps=download_bps / 1e6, upload_mbps=upload_bps / 1e6, cpu_s=cpu_s, rss_bytes=rss_bytes)
