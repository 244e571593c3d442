"""A moment by all the clocks of this computer, so that it can be placed whatever happens to the wall clock: pure."""

from datetime import datetime, timedelta

import msgspec


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is the wall clock's time, `monotonic_s` counts within `boot_id`.

    `offset_s` is true time less the wall clock's where that boot had compared it, None where it had not.
    """

    at: datetime
    monotonic_s: float
    boot_id: str
    offset_s: float | None = None

    def later(self, seconds: float) -> "Moment":
        """Return the moment `seconds` after this one, in the same boot and by the same clock."""
        at = self.at + timedelta(seconds=seconds)
        return msgspec.structs.replace(self, at=at, monotonic_s=self.monotonic_s + seconds)


def true_time(moment: Moment, known: Moment) -> datetime:
    """Return true time of `moment` as well as it is known at `known`.

    Within the boot of `known` the monotonic clock tells, so that no step of the wall clock moves it. Of an earlier boot
    only the wall clock is left, with the offset of its own boot where there was one, else with that of `known`.
    """
    if moment.boot_id == known.boot_id:
        now = known.at + timedelta(seconds=known.offset_s or 0.0)
        return now - timedelta(seconds=known.monotonic_s - moment.monotonic_s)
    if moment.offset_s is not None:
        return moment.at + timedelta(seconds=moment.offset_s)
    shifted = moment.at + timedelta(seconds=known.offset_s or 0.0)
    # A clock without a battery begins this boot in 1970: the offset that it shows is not that of the boot before.
    return shifted if shifted <= true_time(known, known) else moment.at


def elapsed_s(first: Moment, last: Moment, known: Moment) -> float:
    """Return the seconds from `first` to `last` as they are known at `known`; negative where clocks disagree."""
    if first.boot_id == last.boot_id:
        return last.monotonic_s - first.monotonic_s
    return (true_time(last, known) - true_time(first, known)).total_seconds()
