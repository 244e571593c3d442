"""Who of a school fills the line at the moment: in memory, for one process; after a restart everyone may ask anew.

A line is told by school and network. The network is a truncated address, so that another school behind the same
carrier-grade NAT is a line of its own, and so that no whole address of a school is kept.
"""

import threading
from collections import OrderedDict
from random import Random

import msgspec

from mektep_collector.clock import TimeSource
from mektep_wire import LeaseAnswer, LeaseEnd, LeaseState, new_uuid7

REMEMBERED_S = 86_400.0
_KNOWN_COUNT = 50_000

Line = tuple[str, str]


class _Held(msgspec.Struct, frozen=True):
    lease_id: str
    device_id: str
    until_s: float


class _Known(msgspec.Struct):
    """One line: who has it, and when which device last finished a test."""

    held: _Held | None = None
    measured: dict[str, float] = {}


class LeaseDesk:
    """Gives lines out. Safe for many threads. Of more lines than fit, the one asked for longest ago is forgotten."""

    def __init__(self, time: TimeSource, random: Random) -> None:
        self._time = time
        self._random = random
        self._lock = threading.Lock()
        self._lines: OrderedDict[Line, _Known] = OrderedDict()

    def ask(self, school_id: str, network: str, device_id: str, for_s: float) -> LeaseAnswer:
        """Give the line to a device for `for_s` seconds, unless another device of the school has it."""
        now_s = self._time.monotonic_s()
        with self._lock:
            line = self._lines.setdefault((school_id, network), _Known())
            self._lines.move_to_end((school_id, network))
            if len(self._lines) > _KNOWN_COUNT:
                self._lines.popitem(last=False)
            before_s = _measured_before_s(line, device_id, now_s)
            held = line.held
            if held is not None and held.device_id != device_id and now_s < held.until_s:
                return LeaseAnswer(
                    state=LeaseState.OTHER_PROBER, ends_after_s=held.until_s - now_s, measured_before_s=before_s
                )
            lease_id = new_uuid7(self._time.now(), self._random)
            line.held = _Held(lease_id, device_id, now_s + for_s)
            return LeaseAnswer(
                state=LeaseState.GRANTED, ends_after_s=for_s, lease_id=lease_id, measured_before_s=before_s
            )

    def end(self, school_id: str, network: str, lease_id: str, device_id: str, end: LeaseEnd) -> None:
        """Take a lease back. One that has ended, or is another device's, is let be."""
        now_s = self._time.monotonic_s()
        with self._lock:
            line = self._lines.get((school_id, network))
            if line is None or line.held is None:
                return
            if (line.held.lease_id, line.held.device_id) != (lease_id, device_id):
                return
            line.held = None
            if end is LeaseEnd.MEASURED:
                line.measured = {
                    device: at_s for device, at_s in line.measured.items() if now_s - at_s < REMEMBERED_S
                } | {device_id: now_s}

    def held_count(self) -> int:
        """Return how many lines are held now."""
        now_s = self._time.monotonic_s()
        with self._lock:
            return sum(line.held is not None and now_s < line.held.until_s for line in self._lines.values())


def _measured_before_s(line: _Known, device_id: str, now_s: float) -> float | None:
    ages_s = [now_s - at_s for device, at_s in line.measured.items() if device != device_id]
    youngest_s = min(ages_s, default=None)
    return youngest_s if youngest_s is not None and youngest_s < REMEMBERED_S else None
