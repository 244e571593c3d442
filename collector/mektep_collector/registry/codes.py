"""Join codes: one for each computer, bound to a school, good for days, known here only by the secret's hash."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import insert, select

from mektep_collector.registry.change_chain import Action
from mektep_collector.registry.change_log import COLLECTOR, ChangeLog
from mektep_collector.registry.database import Database
from mektep_collector.registry.error import OriginsMixed, SchoolUnknown
from mektep_collector.registry.secret import new_code, parse_code
from mektep_collector.registry.tables import CODES, SCHOOLS
from mektep_wire import Origin

CODE_ATTEMPTS_COUNT = 20
"""How many wrong secrets a code bears before it is dead."""


class IssuedCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code as it is shown, once; what is kept of it does not give it back."""

    code: str
    school_id: str
    expires_at: datetime


class Codes:
    """The registry's join codes."""

    def __init__(self, database: Database, changes: ChangeLog) -> None:
        self._database = database
        self._changes = changes

    def issue(
        self,
        school_id: str,
        count: int,
        lifetime: timedelta,
        now: datetime,
        by: str = COLLECTOR,
        origin: Origin = Origin.MEASURED,
    ) -> Sequence[IssuedCode]:
        """Make `count` codes for computers of a school. The log names `by` as who did it.

        `origin` says what the readings of these computers will be; a school's first code decides for all its computers,
        so that no figure of a school rests on both kinds. Raises SchoolUnknown, OriginsMixed.
        """
        issued = [IssuedCode(code=new_code(), school_id=school_id, expires_at=now + lifetime) for _ in range(count)]
        with self._database.writing() as connection:
            if connection.execute(select(SCHOOLS.c.id).where(SCHOOLS.c.id == school_id)).first() is None:
                raise SchoolUnknown(school_id)
            others = select(CODES.c.id).where(CODES.c.school_id == school_id, CODES.c.origin != origin.value).limit(1)
            if connection.execute(others).first() is not None:
                raise OriginsMixed(school_id, origin)
            identifiers = [parse_code(one.code).id for one in issued]
            self._changes.record(
                connection, by, Action.CODES_ISSUED, f"school {school_id}", now, after=[identifiers, now + lifetime]
            )
            for one in issued:
                credential = parse_code(one.code)
                connection.execute(
                    insert(CODES).values(
                        id=credential.id,
                        secret_hash=credential.secret_hash,
                        school_id=school_id,
                        made_at=now,
                        expires_at=one.expires_at,
                        attempts_left_count=CODE_ATTEMPTS_COUNT,
                        origin=origin.value,
                    )
                )
        return issued
