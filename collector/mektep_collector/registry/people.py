"""People who are let in: their role and regions, their password and second factor. All changes are in the log.

Personal data: a login, which may be a work address, and nothing else.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from mektep_collector.access.role import Role
from mektep_collector.access.scope import WHOLE_COUNTRY, Scope
from mektep_collector.clock import TimeSource
from mektep_collector.registry.change_chain import Action
from mektep_collector.registry.change_log import COLLECTOR, ChangeLog
from mektep_collector.registry.database import Database
from mektep_collector.registry.error import PersonExists, PersonRefused, PersonUnknown
from mektep_collector.registry.passwords import Passwords, check_strength
from mektep_collector.registry.regions import REGIONS
from mektep_collector.registry.second_factor import SecondFactors
from mektep_collector.registry.tables import PEOPLE, SESSIONS

_NO_PASSWORD: Final = ""
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,79}")


class PersonStatus(StrEnum):
    """Whether somebody is let in."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may be let in."""

    login: str
    role: Role
    scope: Scope
    status: PersonStatus
    has_password: bool = True
    has_second_factor: bool
    added_at: datetime


class People:
    """The registry's people. Safe for many threads."""

    def __init__(self, database: Database, changes: ChangeLog, factors: SecondFactors, time: TimeSource) -> None:
        self._database = database
        self._changes = changes
        self._factors = factors
        self._time = time
        self._passwords = Passwords()

    def all(self) -> Sequence[Person]:
        """Return everybody, disabled ones too, by login."""
        with self._database.reading() as connection:
            return [person_of(row) for row in connection.execute(select(PEOPLE).order_by(PEOPLE.c.login))]

    def get(self, login: str) -> Person:
        """Return somebody. Raises PersonUnknown."""
        with self._database.reading() as connection:
            return person_of(_row(connection, login))

    def add(self, login: str, role: Role, scope: Scope, password: str | None, by: str = COLLECTOR) -> Person:
        """Add somebody; without a password they come in only where somebody else vouches for them.

        Raises PersonRefused, PasswordRefused and PersonExists.
        """
        name = _login_of(login)
        _check_scope(role, scope)
        kept = _NO_PASSWORD
        if password is not None:
            check_strength(password, name)
            kept = self._passwords.hash(password)
        with self._database.writing() as connection:
            if connection.execute(select(PEOPLE.c.login).where(PEOPLE.c.login == name)).first() is not None:
                raise PersonExists(name)
            now = self._time.now()
            connection.execute(
                insert(PEOPLE).values(
                    login=name,
                    role=role.value,
                    regions=_told(scope),
                    status=PersonStatus.ACTIVE.value,
                    password_hash=kept,
                    added_at=now,
                )
            )
            person = person_of(_row(connection, name))
            self._record(connection, by, Action.PERSON_ADDED, None, person)
        return person

    def change(self, login: str, role: Role, scope: Scope, by: str = COLLECTOR) -> Person:
        """Give somebody another role or other regions; it holds from the next page on. Raises PersonError."""
        _check_scope(role, scope)
        return self._update(login, by, Action.PERSON_CHANGED, role=role.value, regions=_told(scope))

    def disable(self, login: str, by: str = COLLECTOR) -> Person:
        """Let somebody in no more; open sessions end at once. Raises PersonUnknown."""
        return self._update(login, by, Action.PERSON_DISABLED, ends=True, status=PersonStatus.DISABLED.value)

    def enable(self, login: str, by: str = COLLECTOR) -> Person:
        """Let somebody in again. Raises PersonUnknown."""
        return self._update(login, by, Action.PERSON_ENABLED, status=PersonStatus.ACTIVE.value)

    def set_password(self, login: str, password: str, by: str = COLLECTOR) -> Person:
        """Replace a password; open sessions end at once. Raises PersonUnknown and PasswordRefused."""
        check_strength(password, _login_of(login))
        kept = self._passwords.hash(password)
        return self._update(login, by, Action.PASSWORD_SET, ends=True, password_hash=kept)

    def drop_password(self, login: str, by: str = COLLECTOR) -> Person:
        """Let somebody in only where somebody else vouches for them; their second factor goes too.

        Open sessions end at once. Raises PersonUnknown.
        """
        return self._update(
            login, by, Action.PASSWORD_DROPPED, ends=True, password_hash=_NO_PASSWORD, second_factor=None
        )

    def set_second_factor(self, login: str, by: str = COLLECTOR) -> str:
        """Ask somebody for a code beside the password from now on; return the address for the phone, shown once.

        Raises PersonUnknown, and PersonRefused for who has no password.
        """
        if not self.get(login).has_password:
            raise PersonRefused(f"{login} has no password that a code could stand beside: give one first")
        address, kept = self._factors.new(_login_of(login))
        self._update(login, by, Action.SECOND_FACTOR_SET, ends=True, second_factor=kept, last_step=0)
        return address

    def drop_second_factor(self, login: str, by: str = COLLECTOR) -> Person:
        """Ask somebody for the password alone. Raises PersonUnknown."""
        return self._update(login, by, Action.SECOND_FACTOR_DROPPED, ends=True, second_factor=None)

    def recognise(self, login: str, password: str, code: str) -> Person | None:
        """Return who has shown to be this person; None else, in a time that does not tell what was wrong.

        A code is good once. Raises RegistryAway and KeyFileError.
        """
        name = login.strip().lower()
        with self._database.reading() as connection:
            row = connection.execute(select(PEOPLE).where(PEOPLE.c.login == name)).first()
        is_right = self._passwords.is_right((row.password_hash or None) if row is not None else None, password)
        if row is None or not is_right or row.status != PersonStatus.ACTIVE.value:
            return None
        if row.second_factor is not None and not self._uses_up(name, row.second_factor, code):
            return None
        return person_of(row)

    def vouched(self, login: str) -> Person | None:
        """Return whom somebody trusted vouches for, None for nobody who is let in. Raises RegistryAway."""
        with self._database.reading() as connection:
            row = connection.execute(select(PEOPLE).where(PEOPLE.c.login == login.strip().lower())).first()
        return person_of(row) if row is not None and row.status == PersonStatus.ACTIVE.value else None

    def _uses_up(self, login: str, kept: bytes, code: str) -> bool:
        step = self._factors.step_of(kept, login, code, self._time.now())
        if step is None:
            return False
        unused = (PEOPLE.c.login == login) & (PEOPLE.c.second_factor == kept) & (PEOPLE.c.last_step < step)
        with self._database.writing() as connection:
            return connection.execute(update(PEOPLE).where(unused).values(last_step=step)).rowcount == 1

    def _update(self, login: str, by: str, action: Action, *, ends: bool = False, **values: object) -> Person:
        """Change a row and log it; with `ends` the person's open sessions end with it."""
        with self._database.writing() as connection:
            before = person_of(_row(connection, login))
            connection.execute(update(PEOPLE).where(PEOPLE.c.login == before.login).values(**values))
            if ends:
                connection.execute(delete(SESSIONS).where(SESSIONS.c.login == before.login))
            after = person_of(_row(connection, login))
            self._record(connection, by, action, before, after)
        return after

    def _record(self, connection: Connection, by: str, action: Action, before: Person | None, after: Person) -> None:
        self._changes.record(
            connection,
            by,
            action,
            f"person {after.login}",
            self._time.now(),
            before=None if before is None else _state(before),
            after=_state(after),
        )


def person_of(row: Row[*tuple[object, ...]]) -> Person:
    """Return the record that a row of the table `people` holds."""
    return Person(
        login=row.login,
        role=Role(row.role),
        scope=WHOLE_COUNTRY if row.regions is None else Scope(frozenset(row.regions.split())),
        status=PersonStatus(row.status),
        has_password=row.password_hash != _NO_PASSWORD,
        has_second_factor=row.second_factor is not None,
        added_at=row.added_at,
    )


def _row(connection: Connection, login: str) -> Row[*tuple[object, ...]]:
    row = connection.execute(select(PEOPLE).where(PEOPLE.c.login == login.strip().lower())).first()
    if row is None:
        raise PersonUnknown(login)
    return row


def _login_of(login: str) -> str:
    name = login.strip().lower()
    if not _LOGIN.fullmatch(name):
        raise PersonRefused(
            f"{login!r} cannot be a login: take 2 to 80 letters a to z, digits, and . _ @ + - after the first"
        )
    return name


def _check_scope(role: Role, scope: Scope) -> None:
    unknown = sorted((scope.regions or frozenset()) - REGIONS.keys())
    if unknown:
        raise PersonRefused(f"no region has the code {', '.join(unknown)}; codes are such as KZ-61, by ISO 3166-2")
    if scope.regions is not None and not scope.regions:
        raise PersonRefused("who sees no region sees nothing: name one at least")
    if role is Role.ADMINISTRATOR and scope.regions is not None:
        raise PersonRefused("an administrator is for the whole country: leave the regions out")


def _told(scope: Scope) -> str | None:
    return None if scope.regions is None else " ".join(sorted(scope.regions))


def _state(person: Person) -> tuple[str, str, str | None, str, bool, bool]:
    can = person.has_second_factor, person.has_password
    return person.login, person.role.value, _told(person.scope), person.status.value, *can
