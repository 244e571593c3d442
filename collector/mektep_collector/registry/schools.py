"""The schools and their contracts. A contract is a row from its day on: a new one leaves the months before it alone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, insert, select, update

from mektep_collector.clock import TimeSource
from mektep_collector.registry.change_chain import Action
from mektep_collector.registry.change_log import COLLECTOR, ChangeLog
from mektep_collector.registry.comparison import Comparison, Known, compare
from mektep_collector.registry.database import Database
from mektep_collector.registry.records import Commitment, School, Technology
from mektep_collector.registry.school_file.read import SchoolFile
from mektep_collector.registry.tables import COMMITMENTS, SCHOOLS

_ContractRow = tuple[str, date, str, float, float]
_SchoolRow = tuple[str, str, str, str, str, int | None, int | None, str, float | None]

_CONTRACTS = select(
    COMMITMENTS.c.school_id,
    COMMITMENTS.c.valid_from,
    COMMITMENTS.c.provider,
    COMMITMENTS.c.download_mbps,
    COMMITMENTS.c.upload_mbps,
).order_by(COMMITMENTS.c.valid_from)
_SCHOOLS = select(
    SCHOOLS.c.id,
    SCHOOLS.c.name,
    SCHOOLS.c.region,
    SCHOOLS.c.district,
    SCHOOLS.c.time_zone,
    SCHOOLS.c.pupils_count,
    SCHOOLS.c.places_count,
    SCHOOLS.c.technology,
    SCHOOLS.c.norm_mbps,
)


class Schools:
    """The registry's schools. None is ever removed: its readings stay, and need its name."""

    def __init__(self, database: Database, time: TimeSource, changes: ChangeLog) -> None:
        self._database = database
        self._changes = changes
        self._time = time

    def all(self) -> Sequence[School]:
        """Return every school by id, each with the contract that is in force there today."""
        with self._database.reading() as connection:
            contracts = _contracts(connection.execute(_CONTRACTS))
            return _schools(connection.execute(_SCHOOLS.order_by(SCHOOLS.c.id)), contracts, self._time.now())

    def get(self, school_id: str) -> School | None:
        """Return a school with the contract that is in force there today, None where no such school is."""
        with self._database.reading() as connection:
            contracts = _contracts(connection.execute(_CONTRACTS.where(COMMITMENTS.c.school_id == school_id)))
            rows = connection.execute(_SCHOOLS.where(SCHOOLS.c.id == school_id))
            return next(iter(_schools(rows, contracts, self._time.now())), None)

    def commitments(self, school_id: str) -> Sequence[Commitment]:
        """Return a school's contracts, old, present and future, in the order of their days."""
        with self._database.reading() as connection:
            return _contracts(connection.execute(_CONTRACTS.where(COMMITMENTS.c.school_id == school_id))).get(
                school_id, []
            )

    def all_commitments(self) -> Mapping[str, Sequence[Commitment]]:
        """Return every school's contracts, old, present and future, in the order of their days, by the school's id."""
        with self._database.reading() as connection:
            return _contracts(connection.execute(_CONTRACTS))

    def compare(self, file: SchoolFile) -> Comparison:
        """Say what an import of `file` would change."""
        with self._database.reading() as connection:
            return compare(self._known(connection), file)

    def take_in(self, file: SchoolFile, by: str = COLLECTOR) -> Comparison:
        """Import a file, all of it or, when anything goes wrong, nothing; return what changed.

        The log names `by` as who did it, where anything changed.
        """
        now = self._time.now()
        with self._database.writing() as connection:
            comparison = compare(self._known(connection), file)
            if comparison.added:
                stamps = {"added_at": now, "changed_at": now}
                connection.execute(insert(SCHOOLS), [_columns(school) | stamps for school in comparison.added])
                _record_first(connection, comparison.added, now)
            for school in comparison.changed:
                connection.execute(
                    update(SCHOOLS).where(SCHOOLS.c.id == school.id).values(**_columns(school), changed_at=now)
                )
                if school.commitment is not None:
                    _record(connection, school.id, school.commitment, now)
            if comparison.added or comparison.changed:
                before = [change.before for change in comparison.changes]
                after = [comparison.added, comparison.changed]
                counts = f"{len(comparison.added)} schools added, {len(comparison.changed)} changed"
                self._changes.record(connection, by, Action.SCHOOLS_IMPORTED, counts, now, before=before, after=after)
        return comparison

    def _known(self, connection: Connection) -> Known:
        contracts = _contracts(connection.execute(_CONTRACTS))
        schools = {school.id: school for school in _schools(connection.execute(_SCHOOLS), contracts, self._time.now())}
        return Known(schools=schools, commitments=contracts)


def _record_first(connection: Connection, schools: Sequence[School], now: datetime) -> None:
    rows = [
        _contract(school.commitment, now) | {"school_id": school.id, "valid_from": school.commitment.valid_from}
        for school in schools
        if school.commitment is not None
    ]
    if rows:
        connection.execute(insert(COMMITMENTS), rows)


def _record(connection: Connection, school_id: str, commitment: Commitment, now: datetime) -> None:
    values = _contract(commitment, now)
    corrected = connection.execute(
        update(COMMITMENTS)
        .where(COMMITMENTS.c.school_id == school_id, COMMITMENTS.c.valid_from == commitment.valid_from)
        .values(**values)
    )
    if corrected.rowcount == 0:
        connection.execute(insert(COMMITMENTS).values(school_id=school_id, valid_from=commitment.valid_from, **values))


def _contract(commitment: Commitment, now: datetime) -> dict[str, object]:
    return {
        "provider": commitment.provider,
        "download_mbps": commitment.download_mbps,
        "upload_mbps": commitment.upload_mbps,
        "recorded_at": now,
    }


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


def _contracts(rows: Iterable[Row[*tuple[object, ...]]]) -> Mapping[str, Sequence[Commitment]]:
    contracts: dict[str, list[Commitment]] = {}
    for school_id, valid_from, provider, download_mbps, upload_mbps in cast("Iterable[_ContractRow]", rows):
        commitment = Commitment(
            provider=provider, download_mbps=download_mbps, upload_mbps=upload_mbps, valid_from=valid_from
        )
        contracts.setdefault(school_id, []).append(commitment)
    return contracts


def _schools(
    rows: Iterable[Row[*tuple[object, ...]]], contracts: Mapping[str, Sequence[Commitment]], now: datetime
) -> list[School]:
    today: dict[str, date] = {}
    schools = []
    for school_id, name, region, district, zone, pupils, places, technology, norm_mbps in cast(
        "Iterable[_SchoolRow]", rows
    ):
        if zone not in today:
            today[zone] = now.astimezone(ZoneInfo(zone)).date()
        schools.append(
            School(
                id=school_id,
                name=name,
                region=region,
                district=district,
                time_zone=zone,
                pupils_count=pupils,
                places_count=places,
                technology=Technology(technology),
                norm_mbps=norm_mbps,
                commitment=_in_force(contracts.get(school_id, ()), today[zone]),
            )
        )
    return schools


def _in_force(contracts: Sequence[Commitment], today: date) -> Commitment | None:
    begun = [contract for contract in contracts if contract.valid_from <= today]
    return begun[-1] if begun else None
