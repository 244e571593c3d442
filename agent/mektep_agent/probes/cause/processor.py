"""How busy this computer's processors were between two looks."""

from collections.abc import Sequence

import msgspec
import psutil


class ProcessorLook(msgspec.Struct, frozen=True):
    """Busy and whole seconds of each processor since the computer started."""

    at_s: float
    busy_s: tuple[float, ...]
    whole_s: tuple[float, ...]


def look(at_s: float) -> ProcessorLook:
    """Look once."""
    each = psutil.cpu_times(percpu=True)
    idle = [one.idle + getattr(one, "iowait", 0.0) for one in each]
    # Guests' time is in user's already.
    whole = [sum(one) - getattr(one, "guest", 0.0) - getattr(one, "guest_nice", 0.0) for one in each]
    return ProcessorLook(at_s, tuple(w - i for w, i in zip(whole, idle, strict=True)), tuple(whole))


def busy_ratios(looks: Sequence[ProcessorLook], begin_s: float, end_s: float) -> tuple[float, float] | None:
    """Return the busy part of all processors together, and of the busiest; None without two looks in that time."""
    within = [one for one in looks if begin_s <= one.at_s <= end_s]
    if len(within) < 2 or len(within[0].busy_s) != len(within[-1].busy_s):
        return None
    first, last = within[0], within[-1]
    busy = [b - a for a, b in zip(first.busy_s, last.busy_s, strict=True)]
    whole = [b - a for a, b in zip(first.whole_s, last.whole_s, strict=True)]
    if min(whole) <= 0:
        return None
    return _part(sum(busy), sum(whole)), max(map(_part, busy, whole))


def _part(busy_s: float, whole_s: float) -> float:
    return round(min(1.0, max(0.0, busy_s / whole_s)), 3)
