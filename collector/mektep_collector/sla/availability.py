"""Availability: runs that gave a result over runs that were made. A run that was skipped is in neither."""

import msgspec


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of good and of failed runs; a failed measurement counts against availability and nowhere else."""

    ok_count: int
    failed_count: int

    @property
    def runs_count(self) -> int:
        """How many runs the share rests on."""
        return self.ok_count + self.failed_count

    @property
    def ratio(self) -> float | None:
        """Share of good runs, 0 to 1; None where none was made."""
        return self.ok_count / self.runs_count if self.runs_count else None
