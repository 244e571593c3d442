"""The frugal test on links of known truth: `make bench-links` (root).

On each link of a half of the grid the project's measuring server stands at the far end. From the school's end one
full-length test and several frugal ones run each way, one after the other, every one a transfer of its own. Truth is
the link's rate x 1448/1500. A link that delivered more than 0.5 % of its packets over 1 ms late, because this machine
was busy, was not the link that it claims to be: it is measured again, up to three times.

Figures are quoted from the judging half alone. Ends with 1 where a promise is not kept, 2 without a laboratory.
"""

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock, Semaphore

import msgspec
from rich.console import Console
from rich.progress import track

from mektep_wire import Direction
from tests.bench.grid import judging, tuning
from tests.bench.grid.entry import Entry, Kind
from tests.bench.grid.peers import HEAD as PEER_HEAD
from tests.bench.grid.peers import SAID as PEERS_SAID
from tests.bench.grid.peers import PeerRow, measure_peers
from tests.bench.grid.peers import line as peer_line
from tests.bench.grid.picture import picture
from tests.bench.grid.surroundings import surroundings
from tests.bench.grid.transfers import Outcome
from tests.bench.grid.verdict import Check, Row, checks, of_all
from tests.support.links import LaboratoryError, laboratory, obstacle
from tests.support.links.measuring import measuring_server

HALVES = {"tuning": tuning.ENTRIES, "judging": judging.ENTRIES}
TRUSTED_LATE_RATIO = 0.005
SIDE_BY_SIDE_MBPS = 60.0
ATTEMPTS = 3
AUDITS = 3
TIMEOUT_S = 240
DOCUMENT = Path("docs/methods/links-grid.md")
PICTURE = Path("docs/pictures/links-grid.svg")
FAILED, UNAVAILABLE = 1, 2
MARKS = {Kind.PLAIN: "", Kind.BURST: " (burst)", Kind.CHANGING: " (changing)", Kind.UNFILLED: " (not judged)"}
HEAD = (
    "| link | way | sender | truth | frugal, 95 % interval | off | full length | NDT7 (bytes/10 s) | s | bytes of full "
    "| stop | late |\n|---|---|---|--:|--:|--:|--:|--:|--:|--:|---|--:|"
)


def measure(entry: Entry, runs: int) -> tuple[list[Row], list[PeerRow]]:
    """Measure a link both ways, and other clients on it where it has them; raises LaboratoryError."""
    audits = AUDITS if Kind.BURST in {entry.kind(direction) for direction in Direction} else 0
    words = [sys.executable, "-m", "tests.bench.grid.transfers", "--runs", str(runs), "--audits", str(audits)]
    rows: list[Row] = []
    peers: list[PeerRow] = []
    for attempt in range(1, ATTEMPTS + 1):
        with (
            laboratory(entry.link, congestion_control=entry.up_sender) as lab,
            measuring_server(lab.server, "--congestion-control", entry.down_sender.value) as server,
            surroundings(lab, entry),
        ):
            done = lab.school.run([*words, server], timeout_s=TIMEOUT_S)
            crossed = lab.counters()
            overrun = lab.links[0].overrun_packets()
            late = {
                Direction.DOWNLOAD: crossed.down.late_packets / max(1, crossed.down.delivered_packets),
                Direction.UPLOAD: crossed.up.late_packets / max(1, crossed.up.delivered_packets),
            }
            is_last = attempt == ATTEMPTS or (not overrun and max(late.values()) <= TRUSTED_LATE_RATIO)
            # After the counters are read: what others do to the link is no reason to measure ours again.
            if is_last and entry.has_peers:
                peers = measure_peers(lab, entry, server)
        outcomes = msgspec.json.decode(done.stdout, type=dict[Direction, Outcome])
        rows = [
            Row(entry=entry, direction=direction, outcome=outcome, late_ratio=late[direction])
            for direction, outcome in outcomes.items()
        ]
        if is_last:
            break
    return rows, peers


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one link; `failure` says why there is nothing."""

    entry: Entry
    rows: list[Row] = []
    peers: list[PeerRow] = []
    failure: str = ""


def measure_all(chosen: Sequence[Entry], runs: int, at_once: int) -> Iterator[Measured]:
    """Measure links in their order, slow ones so many at once; a fast one has the machine for itself."""
    places, all_places = Semaphore(at_once), Lock()

    def one(entry: Entry) -> Measured:
        is_fast = max(entry.link.down.rate_mbps, entry.link.up.rate_mbps) > SIDE_BY_SIDE_MBPS
        wanted = at_once if is_fast else 1
        with all_places:
            for _ in range(wanted):
                places.acquire()
        try:
            rows, peers = measure(entry, runs)
            return Measured(entry=entry, rows=rows, peers=peers)
        except LaboratoryError as error:
            return Measured(entry=entry, failure=str(error))
        finally:
            places.release(wanted)

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(one, chosen)


def line(row: Row) -> str:
    """Return a row of the table: of the frugal tests the one in the middle, and the worst error of all."""
    head = (
        f"| {row.entry.name} | {row.direction.value} | {row.entry.sender(row.direction).value} | {row.truth_mbps:.3f} |"
    )
    if not row.outcome.frugal or row.outcome.full_length is None:
        return f"{head} {row.outcome.failure} |"
    frugal = sorted(row.outcome.frugal, key=row.error_ratio)
    middle, whole = frugal[len(frugal) // 2], row.outcome.full_length
    worst = max((row.error_ratio(each) for each in frugal), key=abs)
    mark = MARKS[row.kind]
    return (
        f"{head} {middle.value_mbps:.3f} ({middle.low_mbps:.3f} to {middle.high_mbps:.3f}) | {worst:+.1%}{mark} | "
        f"{whole.value_mbps:.3f} ({row.error_ratio(whole):+.1%}) | "
        f"{whole.ndt7_mbps:.3f} ({whole.ndt7_mbps / row.truth_mbps - 1:+.1%}) | "
        f"{middle.duration_s:.2f} | {row.bytes_ratio:.1%} | {middle.stop_reason.value} | {row.late_ratio:.2%} |"
    )


def conditions(half: str, runs: int, at_once: int) -> str:
    """Return what the figures rest on."""
    load = "/".join(f"{one:.2f}" for one in os.getloadavg())
    side = f"{at_once} at once of those up to {SIDE_BY_SIDE_MBPS:g} Mbit/s" if at_once > 1 else "one at a time"
    return (
        f"Half: {half}, {len(HALVES[half])} links, {side}; {runs} frugal runs each way after one of full length (on "
        f"burst links, {AUDITS} of them are the audits that teach). Linux {platform.release()} {platform.machine()}, "
        f"{os.cpu_count()} processors, "
        f"load {load} at the start; Python {platform.python_version()}. Plain ws. The errors are of the worst run."
    )


def document(half: str, said: str, rows: list[Row], found: list[Check], peers: list[PeerRow]) -> str:
    """Return the page that `make bench-links` writes."""
    verdicts = "\n".join(f"| {each.promise} | {each.seen} | {'yes' if each.is_kept else '**no**'} |" for each in found)
    table = "\n".join(line(row) for row in rows)
    others = "\n".join(peer_line(row) for row in peers)
    return (
        f"# The frugal test on links of known truth\n\nMade by `make bench-links`; never edited. {said}\n\n"
        f"![Error of each test, by link]({os.path.relpath(PICTURE, DOCUMENT.parent)})\n\n"
        f"| promise | seen | kept |\n|---|---|---|\n{verdicts}\n\n{of_all(rows)}\n\n{HEAD}\n{table}\n\n"
        'Mbit/s where no unit stands. "off" is the worst of the runs against the truth. Links that one flow of their '
        "sender cannot fill are shown and not judged: no test of one flow can tell their rate.\n\n"
        f"## Other clients on the same links\n\n{PEERS_SAID}\n\n{PEER_HEAD}\n{others}\n"
    )


def main() -> int:
    """Measure, print, and write page and picture if asked; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--half", choices=sorted(HALVES), default="judging")
    parser.add_argument("--links", default="", help="only links whose name holds this")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=1, help="so many slow links side by side")
    parser.add_argument("--json", type=Path, help="write all rows there")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT} and {PICTURE}")
    given = parser.parse_args()
    if (missing := obstacle()) is not None:
        sys.stderr.write(f"no links of known truth: {missing}\n")
        return UNAVAILABLE
    chosen = [entry for entry in HALVES[given.half] if given.links in entry.name]
    said = conditions(given.half, given.runs, given.at_once)
    print(f"{said}\n{HEAD}", flush=True)
    rows: list[Row] = []
    peers: list[PeerRow] = []
    console = Console(stderr=True)
    all_found = measure_all(chosen, given.runs, given.at_once)
    for found in track(all_found, "links", total=len(chosen), console=console, disable=not console.is_terminal):
        if found.failure:
            print(f"| {found.entry.name} | {found.failure} |", flush=True)
        rows += found.rows
        peers += found.peers
        for row in found.rows:
            print(line(row), flush=True)
    if peers:
        print("\n".join((f"\n{PEERS_SAID}", PEER_HEAD, *map(peer_line, peers), "")), flush=True)
    verdicts = checks(rows)
    for check in verdicts:
        print(f"{'kept  ' if check.is_kept else 'BROKEN'}  {check.promise}: {check.seen}")
    print(of_all(rows))
    if given.json:
        given.json.write_bytes(msgspec.json.encode(rows))
    if given.write:
        DOCUMENT.write_text(document(given.half, said, rows, verdicts, peers), "utf-8")
        PICTURE.write_text(picture(rows), "utf-8")
    return 0 if all(check.is_kept for check in verdicts) else FAILED


if __name__ == "__main__":
    sys.exit(main())
