"""Other clients on the same links, in the same run: speedtest-cli, LibreSpeed's own client, and M-Lab's for JavaScript.

Each runs against the project's measuring server, which speaks its protocol, for ten seconds a way.
"""

import subprocess
from collections.abc import Callable, Sequence

import msgspec

from mektep_wire import Direction
from tests.bench.grid.entry import Entry
from tests.support.links import Laboratory
from tests.support.mlab_ndt7 import client as mlab
from tests.support.peers import librespeed_cli, speedtest_cli
from tests.support.peers.result import PeerMissingError, PeerRun

MLAB_TIMEOUT_S = 60
DURATION_S = 10
"""What speedtest-cli and M-Lab's client take by themselves; LibreSpeed's would take 15."""
LONGEST_FAILURE = 160
SAID = (
    f"One run each, against the same server, in the same run as ours: {DURATION_S} s a way, which LibreSpeed's client "
    "is told and the others take by themselves. Figures are the client's own, against the truth of the link."
)


class PeerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one client said of one link; `failure` says why it said nothing."""

    entry: Entry
    client: str
    mbps: dict[Direction, float] = {}
    failure: str = ""

    def error_ratio(self, direction: Direction) -> float | None:
        """Return its figure over the truth, less one; None where it has none."""
        return self.mbps[direction] / self.entry.truth_mbps(direction) - 1 if direction in self.mbps else None


def measure_peers(lab: Laboratory, entry: Entry, server: str) -> list[PeerRow]:
    """Run every client once, one after the other, against `ws://host:port`; a failure is a row too."""
    http = server.replace("ws://", "http://")
    clients: Sequence[tuple[str, Callable[[], dict[Direction, float]]]] = (
        ("speedtest-cli", lambda: _figures(speedtest_cli.run(lab.school, http, DURATION_S))),
        ("LibreSpeed", lambda: _figures(librespeed_cli.run(lab.school, http, DURATION_S))),
        ("M-Lab's NDT7 (JavaScript)", lambda: _mlab(lab, server)),
    )
    rows: list[PeerRow] = []
    for name, run in clients:
        try:
            rows.append(PeerRow(entry=entry, client=name, mbps=run()))
        except (PeerMissingError, mlab.PeerMissingError, subprocess.SubprocessError, msgspec.DecodeError) as error:
            rows.append(PeerRow(entry=entry, client=name, failure=reason(error)))
    return rows


def reason(error: Exception) -> str:
    """Return why a client said nothing, in a line that a cell of a table can hold."""
    told = error.stderr if isinstance(error, subprocess.CalledProcessError) and error.stderr else str(error)
    words = " ".join(str(told).strip().splitlines()[-1:]).replace("|", "/").strip()
    return words[-LONGEST_FAILURE:] or type(error).__name__


def _figures(ran: PeerRun) -> dict[Direction, float]:
    return {Direction.DOWNLOAD: ran.download_mbps, Direction.UPLOAD: ran.upload_mbps}


def _mlab(lab: Laboratory, server: str) -> dict[Direction, float]:
    done = lab.school.run(mlab.command(server.removeprefix("ws://")), timeout_s=MLAB_TIMEOUT_S, check=False)
    if not done.stdout.strip():
        raise subprocess.CalledProcessError(done.returncode, "measure.mjs", done.stdout, done.stderr)
    found = mlab.decode(done.stdout)
    if found.download_mbps is None and found.upload_mbps is None:
        raise subprocess.CalledProcessError(done.returncode, "measure.mjs", done.stdout, "; ".join(found.errors))
    figures = {Direction.DOWNLOAD: found.download_mbps, Direction.UPLOAD: found.upload_mbps}
    return {direction: mbps for direction, mbps in figures.items() if mbps is not None}


HEAD = "| link | client | download | off | upload | off |\n|---|---|--:|--:|--:|--:|"


def line(row: PeerRow) -> str:
    """Return a row of the table."""
    head = f"| {row.entry.name} | {row.client} |"
    if row.failure:
        return f"{head} failed: {row.failure} | | | |"
    cells = []
    for direction in (Direction.DOWNLOAD, Direction.UPLOAD):
        error = row.error_ratio(direction)
        cells.append("| |" if error is None else f"{row.mbps[direction]:.3f} | {error:+.1%} |")
    return f"{head} {' '.join(cells)}"
