"""The process that carries a link's packets: compiled at first use, started, told the link's shape, asked what crossed.

It is written in C because the truth of a link rests on it: at 300 Mbit/s it handles 40,000 packets a second, each at
its own time.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tests.support.links.error import LaboratoryError
from tests.support.links.shape import Shape

SOURCE = Path(__file__).with_name("forwarder.c")
CACHE = Path(__file__).parents[3] / ".cache" / "links"
COMPILER = "cc"
COMPILE_TIMEOUT_S = 60
ANSWER_TIMEOUT_S = 10
END_TIMEOUT_S = 5
MAX_ANSWER_BYTES = 4096


class Way(Enum):
    """A direction of a link as the forwarder numbers it."""

    DOWN = 0
    UP = 1


class Counters(msgspec.Struct, frozen=True, array_like=True):
    """What one direction did since the link was made.

    Every packet that arrived was delivered, lost by the seed, dropped at a full queue, dropped by a cut, refused by
    the receiving kernel, or is in transit. `late_packets` were delivered more than 1 ms after they were due,
    because the machine was busy; `worst_lateness_ms` says how late. Both tell how far this link can be trusted.
    """

    arrived_packets: int
    arrived_bytes: int
    delivered_packets: int
    delivered_bytes: int
    lost_packets: int
    queue_full_packets: int
    cut_packets: int
    refused_packets: int
    late_packets: int
    worst_lateness_ns: int
    transit_packets: int
    queued_bytes: int
    deepest_queue_bytes: int

    @property
    def worst_lateness_ms(self) -> float:
        """How late the latest packet was delivered."""
        return self.worst_lateness_ns / 1e6

    @property
    def late_ratio(self) -> float:
        """The share of the delivered that was more than 1 ms late."""
        return self.late_packets / max(self.delivered_packets, 1)

    @property
    def dropped_packets(self) -> int:
        """All that arrived and will never be delivered."""
        return self.lost_packets + self.queue_full_packets + self.cut_packets + self.refused_packets


class LinkCounters(msgspec.Struct, frozen=True, kw_only=True):
    """Both directions at one moment."""

    down: Counters
    up: Counters


def compiled() -> Path:
    """Return the forwarder's program, compiled anew where its source changed; raises LaboratoryError."""
    source = SOURCE.read_bytes()
    program = CACHE / f"forwarder-{hashlib.sha256(source).hexdigest()[:16]}-{os.uname().machine}"
    if program.exists():
        return program
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        fresh = Path(folder) / "forwarder"
        command = [COMPILER, "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(fresh), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S, check=False)
        if done.returncode != 0:
            raise LaboratoryError(f"{SOURCE.name} does not compile (is libc6-dev installed?):\n{done.stderr}")
        fresh.replace(program)
    return program


def compiler_obstacle() -> str | None:
    """Return why the forwarder cannot be had on this machine, or None."""
    if shutil.which(COMPILER) is None:
        return f"no C compiler ({COMPILER}) for the link's forwarder: install gcc and libc6-dev"
    return None


class Forwarder:
    """One running link. Closing it ends the process; its devices vanish with it."""

    def __init__(self, school_side: tuple[Path, str], server_side: tuple[Path, str]) -> None:
        """Start between two (namespace file, device name to make); raises LaboratoryError if it does not get ready."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(ANSWER_TIMEOUT_S)
        with theirs:
            sides = (str(part) for side in (school_side, server_side) for part in side)
            self._process = subprocess.Popen(
                [compiled(), str(theirs.fileno()), *sides],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        try:
            self._expect(self._answer(), "ready")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """End the process. May be called twice."""
        self._control.close()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_TIMEOUT_S)
        if self._process.stderr is not None:
            self._process.stderr.close()

    @property
    def pid(self) -> int:
        """The process, for its processor time."""
        return self._process.pid

    def shape(self, way: Way, shape: Shape) -> None:
        """Give one direction its shape, from the next packet on. The bucket is full and the seed begins anew."""
        burst_rate_mbps = shape.rate_mbps if shape.burst_rate_mbps is None else shape.burst_rate_mbps
        self._ask(
            f"shape {way.value} {shape.rate_mbps * 1e6:.3f} "
            f"{round(shape.delay_ms * 1e6)} {round(shape.jitter_ms * 1e6)} {shape.loss_ratio!r} "
            f"{shape.queue_limit_bytes} {shape.burst_bytes} {burst_rate_mbps * 1e6:.3f} {shape.seed} "
            f"{shape.max_packet_bytes}"
        )

    def cut(self) -> None:
        """Drop what is on its way, and everything that comes until `restore`."""
        self._ask("cut")

    def restore(self) -> None:
        """Let packets pass again."""
        self._ask("restore")

    def counters(self) -> LinkCounters:
        """Return what crossed and what did not, both directions at one moment."""
        lines = [[int(word) for word in line.split()] for line in self._request("counters").splitlines()]
        down, up = (msgspec.convert(line, Counters) for line in lines)
        return LinkCounters(down=down, up=up)

    def _ask(self, request: str) -> None:
        self._expect(self._request(request), "ok")

    def _request(self, request: str) -> str:
        try:
            self._control.send(request.encode("ascii"))
        except OSError as error:
            raise LaboratoryError(self._last_words(f"cannot be asked: {error}")) from error
        return self._answer()

    def _answer(self) -> str:
        try:
            answer = self._control.recv(MAX_ANSWER_BYTES)
        except OSError as error:
            raise LaboratoryError(self._last_words(f"gave no answer: {error}")) from error
        if not answer:
            raise LaboratoryError(self._last_words("ended"))
        return answer.decode("ascii")

    def _expect(self, answer: str, wanted: str) -> None:
        if answer != wanted:
            raise LaboratoryError(f"the link's forwarder answered {answer!r}, not {wanted!r}")

    def _last_words(self, trouble: str) -> str:
        words = ""
        if self._process.stderr is not None and self._process.poll() is not None:
            words = self._process.stderr.read().strip()
        return f"the link's forwarder {trouble}. {words}".strip()
