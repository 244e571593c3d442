"""Which collector a device's readings are accepted by, where several share the register.

Each collector has a journal of its own, and exactly once holds within one journal. So a device has one home: the
collector that it spoke to first. Another one that it speaks to hands its batches on to there.
"""

import threading
from collections.abc import Iterable

import msgspec
from sqlalchemy import delete, insert, select

from mektep_collector.clock import TimeSource
from mektep_collector.registry.database import Database
from mektep_collector.registry.tables import COLLECTORS, DEVICES, HOMES

REMEMBERED_S = 30.0
"""For so long a collector's address is believed; a home itself never changes."""


class Home(msgspec.Struct, frozen=True):
    """A collector, and where the others reach it."""

    collector_id: str
    url: str


class Homes:
    """Homes of devices, as one of the collectors sees them. Safe for many threads."""

    def __init__(self, database: Database, time: TimeSource, own: Home) -> None:
        self._database = database
        self._time = time
        self.own = own
        self._lock = threading.Lock()
        self._homes: dict[str, str] = {}
        self._urls: dict[str, str] = {}
        self._urls_until_s = float("-inf")

    def announce(self) -> None:
        """Tell the others where this collector is reached. Raises RegistryAway."""
        with self._database.writing() as connection:
            connection.execute(delete(COLLECTORS).where(COLLECTORS.c.id == self.own.collector_id))
            connection.execute(
                insert(COLLECTORS).values(id=self.own.collector_id, url=self.own.url, seen_at=self._time.now())
            )

    def claim(self, device_ids: Iterable[str]) -> None:
        """Make this collector the home of those devices that have none. Raises RegistryAway."""
        with self._database.writing() as connection:
            taken = set(connection.execute(select(HOMES.c.device_id)).scalars())
            known = set(connection.execute(select(DEVICES.c.id)).scalars())
            rows = [
                {"device_id": each, "collector_id": self.own.collector_id, "since": self._time.now()}
                for each in device_ids
                if each in known and each not in taken
            ]
            if rows:
                connection.execute(insert(HOMES), rows)

    def of(self, device_id: str) -> Home:
        """Return a device's home, which is this collector if it had none until now. Raises RegistryAway."""
        with self._lock:
            collector_id = self._homes.get(device_id)
        if collector_id is None:
            collector_id = self._found_or_claimed(device_id)
            with self._lock:
                self._homes[device_id] = collector_id
        if collector_id == self.own.collector_id:
            return self.own
        return Home(collector_id, self._url_of(collector_id))

    def _found_or_claimed(self, device_id: str) -> str:
        query = select(HOMES.c.collector_id).where(HOMES.c.device_id == device_id)
        with self._database.reading() as connection:
            found = connection.execute(query).scalar()
        if found is not None:
            return str(found)
        with self._database.writing() as connection:
            # Looked for again: one transaction writes at a time, and another may have been first.
            found = connection.execute(query).scalar()
            if found is not None:
                return str(found)
            connection.execute(
                insert(HOMES).values(device_id=device_id, collector_id=self.own.collector_id, since=self._time.now())
            )
        return self.own.collector_id

    def _url_of(self, collector_id: str) -> str:
        with self._lock:
            if self._time.monotonic_s() < self._urls_until_s and collector_id in self._urls:
                return self._urls[collector_id]
        with self._database.reading() as connection:
            urls: dict[str, str] = {
                row.id: row.url for row in connection.execute(select(COLLECTORS.c.id, COLLECTORS.c.url))
            }
        with self._lock:
            self._urls = urls
            self._urls_until_s = self._time.monotonic_s() + REMEMBERED_S
        return urls.get(collector_id, "")
