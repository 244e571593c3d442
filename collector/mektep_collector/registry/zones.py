"""The time zone of each school, without asking the database each time."""

import threading
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from mektep_collector.clock import TimeSource
from mektep_collector.registry.schools import Schools

_REMEMBERED_S = 60.0
_DEFAULT_ZONE = "Asia/Almaty"


class SchoolZones:
    """Looks all schools up at once, and again when a minute is over or an unknown school is asked for."""

    def __init__(self, schools: Schools, time: TimeSource) -> None:
        self._schools = schools
        self._time = time
        self._lock = threading.Lock()
        self._zones: Mapping[str, ZoneInfo] = {}
        self._until_s = float("-inf")

    def zone_of(self, school_id: str) -> ZoneInfo:
        """Return a school's time zone; the country's own for a school that nobody knows."""
        with self._lock:
            now_s = self._time.monotonic_s()
            if now_s >= self._until_s or school_id not in self._zones:
                self._zones = {school.id: ZoneInfo(school.time_zone) for school in self._schools.all()}
                self._until_s = now_s + _REMEMBERED_S
            return self._zones.get(school_id) or ZoneInfo(_DEFAULT_ZONE)
