"""What the operator says of learning: the platforms, when one is slow, and what lessons need."""

from collections.abc import Sequence

import msgspec

from mektep_collector.config.lesson_needs import LessonNeed
from mektep_collector.config.platforms import Platform
from mektep_collector.sla.platform import SLOW_AFTER_MS

_HOUR_S = 3_600.0


class Learning(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's lists, as documents need them."""

    platforms: Sequence[Platform] = ()
    slow_after_ms: float = SLOW_AFTER_MS
    needs: Sequence[LessonNeed] = ()
    max_age_s: float = 72 * _HOUR_S
