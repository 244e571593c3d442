"""The schools and their contracts. A contract is a row from its day on: a new one leaves the months before it alone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, insert, select, update

from mektep_collector.clock import TimeSource
from mektep_collector.registry.comparison import Comparison, Known, compare
from mektep_collector.registry.database import Database
from mektep_collector.registry.records import Commitment, School, Technology
from mektep_collector.registry.school_file.read import SchoolFile
from mektep_collector.registry.tables import COMMITMENTS, SCHOOLS


class Schools:
    """The registry's schools. None is ever removed: its readings stay, and need its name."""

    def __init__(self, database: Database, time: TimeSource) -> None:
        self._database = database
        self._time = time

    def all(self) -> Sequence[School]:
        """Return every school by id, each with the contract that is in force there today."""
        with self._database.reading() as connection:
            rows = connection.execute(select(SCHOOLS).order_by(SCHOOLS.c.id)).all()
            contracts = _contracts(connection.execute(select(COMMITMENTS).order_by(COMMITMENTS.c.valid_from)))
        now = self._time.now()
        return [_school(row, contracts.get(row.id, ()), now) for row in rows]

    def get(self, school_id: str) -> School | None:
        """Return a school with the contract that is in force there today, None where no such school is."""
        with self._database.reading() as connection:
            row = connection.execute(select(SCHOOLS).where(SCHOOLS.c.id == school_id)).first()
        return None if row is None else _school(row, self.commitments(school_id), self._time.now())

    def commitments(self, school_id: str) -> Sequence[Commitment]:
        """Return a school's contracts, old, present and future, in the order of their days."""
        query = select(COMMITMENTS).where(COMMITMENTS.c.school_id == school_id).order_by(COMMITMENTS.c.valid_from)
        with self._database.reading() as connection:
            return _contracts(connection.execute(query)).get(school_id, [])

    def compare(self, file: SchoolFile) -> Comparison:
        """Say what an import of `file` would change."""
        with self._database.reading() as connection:
            return compare(self._known(connection), file)

    def take_in(self, file: SchoolFile) -> Comparison:
        """Import a file, all of it or, when anything goes wrong, nothing; return what changed."""
        now = self._time.now()
        with self._database.writing() as connection:
            comparison = compare(self._known(connection), file)
            for school in comparison.added:
                connection.execute(insert(SCHOOLS).values(**_columns(school), added_at=now, changed_at=now))
            for school in comparison.changed:
                connection.execute(
                    update(SCHOOLS).where(SCHOOLS.c.id == school.id).values(**_columns(school), changed_at=now)
                )
            for school in (*comparison.added, *comparison.changed):
                if school.commitment is not None:
                    _record(connection, school.id, school.commitment, now)
        return comparison

    def _known(self, connection: Connection) -> Known:
        contracts = _contracts(connection.execute(select(COMMITMENTS).order_by(COMMITMENTS.c.valid_from)))
        now = self._time.now()
        schools = {row.id: _school(row, contracts.get(row.id, ()), now) for row in connection.execute(select(SCHOOLS))}
        return Known(schools=schools, commitments=contracts)


def _record(connection: Connection, school_id: str, commitment: Commitment, now: datetime) -> None:
    values = {
        "provider": commitment.provider,
        "download_mbps": commitment.download_mbps,
        "upload_mbps": commitment.upload_mbps,
        "recorded_at": now,
    }
    corrected = connection.execute(
        update(COMMITMENTS)
        .where(COMMITMENTS.c.school_id == school_id, COMMITMENTS.c.valid_from == commitment.valid_from)
        .values(**values)
    )
    if corrected.rowcount == 0:
        connection.execute(insert(COMMITMENTS).values(school_id=school_id, valid_from=commitment.valid_from, **values))


def _columns(school: School) -> dict[str, object]:
    return {
        "id": school.id,
        "name": school.name,
        "region": school.region,
        "district": school.district,
        "time_zone": school.time_zone,
        "pupils_count": school.pupils_count,
        "places_count": school.places_count,
        "technology": school.technology.value,
        "norm_mbps": school.norm_mbps,
    }


def _contracts(rows: Iterable[Row[tuple[object, ...]]]) -> Mapping[str, Sequence[Commitment]]:
    contracts: dict[str, list[Commitment]] = {}
    for row in rows:
        contracts.setdefault(row.school_id, []).append(
            Commitment(
                provider=row.provider,
                download_mbps=row.download_mbps,
                upload_mbps=row.upload_mbps,
                valid_from=row.valid_from,
            )
        )
    return contracts


def _school(row: Row[tuple[object, ...]], contracts: Sequence[Commitment], now: datetime) -> School:
    return School(
        id=row.id,
        name=row.name,
        region=row.region,
        district=row.district,
        time_zone=row.time_zone,
        pupils_count=row.pupils_count,
        places_count=row.places_count,
        technology=Technology(row.technology),
        norm_mbps=row.norm_mbps,
        commitment=_in_force(contracts, now.astimezone(ZoneInfo(row.time_zone)).date()),
    )


def _in_force(contracts: Sequence[Commitment], today: date) -> Commitment | None:
    begun = [contract for contract in contracts if contract.valid_from <= today]
    return begun[-1] if begun else None
