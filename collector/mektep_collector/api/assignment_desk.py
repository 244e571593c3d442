"""Hands each device its assignment, and knows its version without asking the database each time."""

import threading
from collections import OrderedDict
from functools import partial

import msgspec

from mektep_collector.api.assignment_content import MeasuringPoints, compose_assignment
from mektep_collector.clock import TimeSource
from mektep_collector.config import Config
from mektep_collector.registry.assignments import Compose, Issued
from mektep_collector.registry.error import RegistryAway, SchoolUnknown
from mektep_collector.registry.records import Device
from mektep_collector.registry.registry import Registry

REMEMBERED_S = 60.0
"""For so long a receipt may name the version before a change."""
_REMEMBERED_COUNT = 100_000
_AWAY_S = 5.0


class _Remembered(msgspec.Struct, frozen=True):
    version: int
    until_s: float


class AssignmentDesk:
    """Makes and signs assignments. Safe for many threads."""

    def __init__(self, registry: Registry, points: MeasuringPoints, config: Config, time: TimeSource) -> None:
        self._registry = registry
        self._points = points
        self._config = config
        self._time = time
        self._lock = threading.Lock()
        self._versions: OrderedDict[str, _Remembered] = OrderedDict()
        self._away_until_s = float("-inf")

    def issue(self, device: Device) -> Issued:
        """Return the assignment that holds now for a device; a new version when anything in it has changed.

        Raises SchoolUnknown.
        """
        issued = self._registry.assignments.issue(device.id, self._composing(device), self._time.now())
        self._remember(device, issued.version)
        return issued

    def version(self, device: Device) -> int:
        """Return the version of the device's assignment, or a higher number when another one is to be fetched.

        It is at most `REMEMBERED_S` old, and waits for nobody who writes. While the registry is away it is the last
        that is known, 0 for none: what a receipt says beside has to wait, what it is for has not. Raises SchoolUnknown.
        """
        with self._lock:
            known = self._versions.get(device.id)
        now_s = self._time.monotonic_s()
        if known is not None and now_s < known.until_s:
            return known.version
        # Each try would hold up all requests: for some seconds there is none.
        if now_s >= self._away_until_s:
            try:
                version = self._registry.assignments.announced(device.id, self._composing(device))
            except RegistryAway:
                self._away_until_s = self._time.monotonic_s() + _AWAY_S
            else:
                self._remember(device, version)
                return version
        return known.version if known is not None else 0

    def _composing(self, device: Device) -> Compose:
        school = self._registry.schools.get(device.school_id)
        if school is None:
            raise SchoolUnknown(device.school_id)
        seed = self._registry.audit_seeds.of(device.id)
        return partial(compose_assignment, school, device, seed, self._points, self._config)

    def _remember(self, device: Device, version: int) -> None:
        with self._lock:
            self._versions[device.id] = _Remembered(version, self._time.monotonic_s() + REMEMBERED_S)
            self._versions.move_to_end(device.id)
            if len(self._versions) > _REMEMBERED_COUNT:
                self._versions.popitem(last=False)
