"""The computers that were enrolled: who they are, whether they may send, when they were last seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Row, or_, select, update

from mektep_collector.clock import TimeSource
from mektep_collector.registry.change_chain import Action
from mektep_collector.registry.change_log import COLLECTOR, ChangeLog
from mektep_collector.registry.database import Database
from mektep_collector.registry.error import DeviceUnknown
from mektep_collector.registry.records import Device, DeviceStatus
from mektep_collector.registry.tables import DEVICES
from mektep_wire import Origin


class Devices:
    """The registry's devices. None is ever removed: what it sent stays, and says who sent it."""

    def __init__(self, database: Database, changes: ChangeLog, time: TimeSource) -> None:
        self._database = database
        self._changes = changes
        self._time = time

    def all(self) -> Sequence[Device]:
        """Return every device, revoked ones too, by school and time of enrolment."""
        query = select(DEVICES).order_by(DEVICES.c.school_id, DEVICES.c.enrolled_at, DEVICES.c.id)
        with self._database.reading() as connection:
            return [device_of(row) for row in connection.execute(query)]

    def of_school(self, school_id: str) -> Sequence[Device]:
        """Return a school's devices, revoked ones too, by time of enrolment."""
        query = select(DEVICES).where(DEVICES.c.school_id == school_id).order_by(DEVICES.c.enrolled_at, DEVICES.c.id)
        with self._database.reading() as connection:
            return [device_of(row) for row in connection.execute(query)]

    def get(self, device_id: str) -> Device | None:
        """Return a device, None where no such one is."""
        with self._database.reading() as connection:
            row = connection.execute(select(DEVICES).where(DEVICES.c.id == device_id)).first()
        return None if row is None else device_of(row)

    def revoke(self, device_id: str, by: str = COLLECTOR) -> Device:
        """Let a device send no more, at once for new requests, within the cache's half minute for known tokens.

        Revoking twice is no error, and the second time no change. The log names `by` as who did it. Raises
        DeviceUnknown.
        """
        with self._database.writing() as connection:
            row = connection.execute(select(DEVICES).where(DEVICES.c.id == device_id).with_for_update()).first()
            if row is None:
                raise DeviceUnknown(device_id)
            known = device_of(row)
            if known.status is DeviceStatus.REVOKED:
                return known
            connection.execute(
                update(DEVICES).where(DEVICES.c.id == device_id).values(status=DeviceStatus.REVOKED.value)
            )
            self._changes.record(
                connection,
                by,
                Action.DEVICE_REVOKED,
                f"device {device_id}",
                self._time.now(),
                before=known.status,
                after=DeviceStatus.REVOKED,
            )
        return msgspec.structs.replace(known, status=DeviceStatus.REVOKED)

    def note_seen(self, seen: Mapping[str, datetime]) -> None:
        """Write down when devices were last seen, all in one transaction; a time before the known one is nothing."""
        with self._database.writing() as connection:
            for device_id, at in seen.items():
                connection.execute(
                    update(DEVICES)
                    .where(DEVICES.c.id == device_id)
                    .where(or_(DEVICES.c.last_seen_at.is_(None), DEVICES.c.last_seen_at < at))
                    .values(last_seen_at=at)
                )


def device_of(row: Row[*tuple[object, ...]]) -> Device:
    """Return the record that a row of the table `devices` holds."""
    return Device(
        id=row.id,
        school_id=row.school_id,
        public_key=row.public_key,
        status=DeviceStatus(row.status),
        enrolled_at=row.enrolled_at,
        agent_version=row.agent_version,
        platform=row.platform,
        last_seen_at=row.last_seen_at,
        origin=Origin(row.origin),
        renewal_asked_at=row.renewal_asked_at,
    )
