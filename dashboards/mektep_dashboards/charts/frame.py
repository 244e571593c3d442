"""The sizes of a chart: drawn once for wide screens and once for telephones, so that its letters stay readable."""

from datetime import datetime, tzinfo
from enum import StrEnum

import msgspec


class Width(StrEnum):
    """Which screen a drawing is for; the style sheet shows one of them."""

    WIDE = "wide"
    NARROW = "narrow"


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Places in the picture's units. The lane under the plot holds what was not measured."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    lane: float
    days_count: int

    @property
    def day_width(self) -> float:
        """Width of one local day."""
        return (self.right - self.left) / self.days_count

    def day_at(self, index: float) -> float:
        """Return where the day of an index begins."""
        return self.left + self.day_width * index

    def moment_at(self, at: datetime, first_day: datetime, zone: tzinfo) -> float:
        """Return the place of a moment; `first_day` is the local midnight that begins the first day.

        The place within a day follows the wall clock, so that a day of 23 or 25 hours is as wide as the others.
        """
        local = at.astimezone(zone)
        index = (local.date() - first_day.date()).days
        return self.day_at(index + (local.hour * 60 + local.minute) / 1440)


def frame(width: Width, days_count: int, height: float) -> Frame:
    """Return the frame for a screen; `height` is that of the plot on a wide one."""
    if width is Width.WIDE:
        return Frame(
            width=860, height=height + 70, left=46, right=848, top=22, bottom=22 + height, lane=22 + height + 15,
            days_count=days_count,
        )  # fmt: skip
    tall = height * 0.8
    return Frame(
        width=380, height=tall + 66, left=34, right=376, top=20, bottom=20 + tall, lane=20 + tall + 15,
        days_count=days_count,
    )  # fmt: skip
