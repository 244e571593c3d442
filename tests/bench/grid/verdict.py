"""What a run over a half of the grid comes to, held against what was promised: pure."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

import msgspec

from mektep_collector.sla.percentile import percentile
from mektep_wire import Direction
from tests.bench.grid.entry import Entry, Kind
from tests.bench.grid.transfers import Outcome, Transfer

MEDIAN_ERROR_RATIO: Final = 0.01
P95_ERROR_RATIO: Final = 0.03
WORST_ERROR_RATIO: Final = 0.05
BURST_ERROR_RATIO: Final = 0.10
BYTES_RATIO: Final = 0.10
COVERED_RATIO: Final = 0.90
CLEAN_S: Final = 2.0
CLEAN_RTT_MS: Final = 100.0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One way of one link: the truth about it, what the tests said, and how late the laboratory was."""

    entry: Entry
    direction: Direction
    outcome: Outcome
    late_ratio: float

    @property
    def kind(self) -> Kind:
        """What is promised here."""
        return self.entry.kind(self.direction)

    @property
    def truth_mbps(self) -> float:
        """The goodput that the link allows."""
        return self.entry.truth_mbps(self.direction)

    def error_ratio(self, transfer: Transfer) -> float:
        """Return a test's value over the truth, less one."""
        return transfer.value_mbps / self.truth_mbps - 1

    def covers(self, transfer: Transfer) -> bool:
        """Tell whether a test's interval holds the truth."""
        return transfer.low_mbps <= self.truth_mbps <= transfer.high_mbps

    def misses_ratio(self, transfer: Transfer) -> float:
        """Return by how much a test's value lies outside what a changing link allows, 0.0 inside."""
        low, high = self.entry.bounds_mbps(self.direction)
        return max(0.0, low / transfer.value_mbps - 1, transfer.value_mbps / high - 1)

    @property
    def bytes_ratio(self) -> float:
        """Bytes of a frugal test, their mean, over those of the full-length one."""
        frugal = self.outcome.frugal
        whole = self.outcome.full_length
        return sum(each.link_bytes for each in frugal) / len(frugal) / whole.link_bytes if frugal and whole else 0.0

    @property
    def is_clean(self) -> bool:
        """Whether the link has neither loss nor jitter nor burst nor other traffic, and a short way all the time."""
        shape = self.entry.link.down
        is_plain = shape.loss_ratio == 0 and shape.jitter_ms == 0 and shape.burst_bytes == 0
        is_alone = not (self.entry.down_cross_mbps or self.entry.up_cross_mbps or self.entry.course)
        return is_plain and is_alone and self.entry.link.rtt_ms < CLEAN_RTT_MS


class Check(msgspec.Struct, frozen=True):
    """One promise, what was seen, and whether it holds."""

    promise: str
    seen: str
    is_kept: bool


def checks(rows: Sequence[Row]) -> list[Check]:
    """Return every promise with what these rows say of it."""
    plain = [row for row in rows if row.kind is Kind.PLAIN]
    errors = [abs(row.error_ratio(each)) for row, each in _frugal(plain)]
    bursts = [abs(row.error_ratio(each)) for row, each in _frugal(rows) if row.kind is Kind.BURST]
    held = [row for row in rows if row.kind is not Kind.UNFILLED and row.outcome.frugal]
    changing = [row.misses_ratio(each) for row, each in _frugal(rows) if row.kind is Kind.CHANGING]
    most = max((row.bytes_ratio for row in held), default=0.0)
    found = [
        _at_most("bytes on the worst link", most, 1.0, len(held)),
        Check("directions without a figure = 0", str(len(_silent(rows))), not _silent(rows)),
    ]
    if errors:
        found += _of_plain(plain, errors)
    if bursts:
        found.append(_at_most("worst error on burst links, after audits", max(bursts), BURST_ERROR_RATIO, len(bursts)))
    if changing:
        worst = max(changing)
        found.append(_at_most("worst outside what a changing link allows", worst, WORST_ERROR_RATIO, len(changing)))
    return found


def _of_plain(plain: Sequence[Row], errors: Sequence[float]) -> list[Check]:
    """Return the promises for links without burst or change."""
    covered = [row.covers(each) for row, each in _frugal(plain)]
    clean_s = [each.duration_s for row, each in _frugal(plain) if row.is_clean]
    found = [
        _at_most("median error", median(errors), MEDIAN_ERROR_RATIO, len(errors)),
        _at_most("95th percentile of the error", percentile(errors, 0.95), P95_ERROR_RATIO, len(errors)),
        _at_most("worst error", max(errors), WORST_ERROR_RATIO, len(errors)),
        _at_most("bytes, links without burst or change, of full length's", _used(plain), BYTES_RATIO, len(plain)),
        Check(
            f"intervals that cover the truth >= {COVERED_RATIO:.0%}",
            f"{sum(covered) / len(covered):.1%} (n={len(covered)})",
            sum(covered) / len(covered) >= COVERED_RATIO,
        ),
    ]
    if clean_s:
        found.append(
            Check(
                f"longest on a clean link below {CLEAN_RTT_MS:g} ms <= {CLEAN_S:g} s",
                f"{max(clean_s):.2f} s (n={len(clean_s)})",
                max(clean_s) <= CLEAN_S,
            )
        )
    return found


def of_all(rows: Sequence[Row]) -> str:
    """Return, in a sentence, what is no promise and belongs beside the promises: the bytes of all links together."""
    held = [row for row in rows if row.kind is not Kind.UNFILLED and row.outcome.frugal]
    return (
        f"Bytes of all links together, of full length's: {_used(held):.1%} (n={len(held)}). On a burst link most of a "
        "test is the burst itself: no test tells the later rate before that has passed."
    )


def _used(rows: Sequence[Row]) -> float:
    """Return the bytes of a frugal test over those of a full-length one, all rows together."""
    used = sum(row.bytes_ratio * row.outcome.full_length.link_bytes for row in rows if row.outcome.full_length)
    return used / max(1, sum(row.outcome.full_length.link_bytes for row in rows if row.outcome.full_length))


def _silent(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not row.outcome.frugal]


def _frugal(rows: Iterable[Row]) -> list[tuple[Row, Transfer]]:
    return [(row, each) for row in rows for each in row.outcome.frugal]


def _at_most(promise: str, seen: float, most: float, count: int) -> Check:
    return Check(f"{promise} <= {most:.0%}", f"{seen:.2%} (n={count})", seen <= most)
