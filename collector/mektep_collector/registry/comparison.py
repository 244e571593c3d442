"""What an import would change, school by school and field by field. Pure: it neither reads nor writes."""

from collections.abc import Mapping, Sequence

import msgspec

from mektep_collector.registry.records import Commitment, School
from mektep_collector.registry.school_file.columns import CONTRACT_COLUMNS, FIELDS
from mektep_collector.registry.school_file.read import SchoolFile


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry holds before an import: schools with today's contract, and all contracts."""

    schools: Mapping[str, School]
    commitments: Mapping[str, Sequence[Commitment]]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one school, named as in the file, before and after; None is an empty cell."""

    school_id: str
    field: str
    before: str | None
    after: str | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What an import changes. Schools that the file does not name are `absent`: they stay as they are."""

    added: Sequence[School]
    changed: Sequence[School]
    changes: Sequence[Change]
    unchanged: Sequence[str]
    absent: Sequence[str]


def compare(known: Known, file: SchoolFile) -> Comparison:
    """Compare what a file says with what is known.

    A column that the file does not have leaves its field alone, and so do the empty cells of a contract: a contract
    ends by the next one.
    """
    added: list[School] = []
    changed: list[School] = []
    changes: list[Change] = []
    unchanged: list[str] = []
    for said in file.schools:
        before = known.schools.get(said.id)
        if before is None:
            added.append(said)
            continue
        after = _merged(before, said, file.columns)
        found = _field_changes(before, after) + _contract_changes(
            before.commitment, known.commitments.get(said.id, ()), said
        )
        if found:
            changed.append(after)
            changes.extend(found)
        else:
            unchanged.append(said.id)
    named = {school.id for school in file.schools}
    absent = sorted(known.schools.keys() - named)
    return Comparison(added=added, changed=changed, changes=changes, unchanged=unchanged, absent=absent)


def _merged(before: School, said: School, columns: frozenset[str]) -> School:
    kept = {field: getattr(before, field) for column, field in FIELDS.items() if column not in columns}
    return msgspec.structs.replace(said, **kept)


def _field_changes(before: School, after: School) -> list[Change]:
    return [
        Change(
            school_id=after.id,
            field=column,
            before=shown(getattr(before, field)),
            after=shown(getattr(after, field)),
        )
        for column, field in FIELDS.items()
        if getattr(before, field) != getattr(after, field)
    ]


def _contract_changes(in_force: Commitment | None, known: Sequence[Commitment], said: School) -> list[Change]:
    if said.commitment is None or said.commitment in known:
        return []
    same_day = [one for one in known if one.valid_from == said.commitment.valid_from]
    before = same_day[0] if same_day else in_force
    return [
        Change(
            school_id=said.id,
            field=column,
            before=None if before is None else shown(getattr(before, field)),
            after=shown(getattr(said.commitment, field)),
        )
        for column, field in CONTRACT_COLUMNS.items()
        if before is None or getattr(before, field) != getattr(said.commitment, field)
    ]


def shown(value: object) -> str | None:
    """Return a value as a cell of the file would show it."""
    if value is None or value == "":
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)
