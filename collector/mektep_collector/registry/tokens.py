"""Bearer tokens of devices: given at enrolment, renewed by the device, and ended so that no lost answer shuts it out.

The token by which a device asks for another stays good. Only when the new one was used, which shows that the device has
it, is an end set to those made before, an overlap later. So two tokens of a device are good at most, and one always is.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from mektep_collector.clock import TimeSource
from mektep_collector.registry.change_chain import Action
from mektep_collector.registry.change_log import COLLECTOR, ChangeLog
from mektep_collector.registry.database import Database
from mektep_collector.registry.error import (
    DeviceUnknown,
    NothingLeftBehind,
    RequestReplayed,
    RequestStale,
    SenderRevoked,
    SenderUnknown,
)
from mektep_collector.registry.records import DeviceStatus
from mektep_collector.registry.secret import new_token, parse_token
from mektep_collector.registry.tables import DEVICES, TOKENS
from mektep_wire import RENEWAL_FRESH_S, TokenGrant, TokenRequest

_LEAST = timedelta(microseconds=1)
_NEWEST = func.max(TOKENS.c.made_at, type_=TOKENS.c.made_at.type)


class Tokens:
    """The registry's tokens. Safe for many threads."""

    def __init__(self, database: Database, changes: ChangeLog, time: TimeSource, overlap: timedelta) -> None:
        self._database = database
        self._changes = changes
        self._time = time
        self._overlap = overlap

    def renew(self, token: str, request: TokenRequest) -> TokenGrant:
        """Give the device that holds `token` another one. The caller has checked the device's signature of `request`.

        Others than these two end at once: they were given in answers that did not arrive, or left behind. Raises
        SenderUnknown, SenderRevoked, RequestStale, RequestReplayed or RegistryAway.
        """
        now = self._time.now()
        if abs((now - request.asked_at).total_seconds()) > RENEWAL_FRESH_S:
            raise RequestStale(f"the request is of {request.asked_at:%Y-%m-%d %H:%M:%S}, and it is {now:%H:%M:%S} UTC")
        credential = parse_token(token)
        if credential is None:
            raise SenderUnknown("the token is not one that this collector gives")
        with self._database.writing() as connection:
            asking = connection.execute(select(TOKENS).where(TOKENS.c.id == credential.id, _is_good(now))).first()
            if asking is None or asking.device_id != request.device_id or not credential.matches(asking.secret_hash):
                raise SenderUnknown("the token was replaced by newer ones")
            device = connection.execute(select(DEVICES).where(DEVICES.c.id == asking.device_id).with_for_update()).one()
            if device.status == DeviceStatus.REVOKED:
                raise SenderRevoked(f"the device {device.id} was revoked")
            asked_before = select(TOKENS.c.id).where(TOKENS.c.device_id == device.id, TOKENS.c.nonce == request.nonce)
            if connection.execute(asked_before).first() is not None:
                raise RequestReplayed("a token was given for this very request already")
            if asking.used_at is None:
                connection.execute(update(TOKENS).where(TOKENS.c.id == asking.id).values(used_at=now))
            grant = _give(
                connection, device.id, now, keep=asking.id, after=device.renewal_asked_at, nonce=request.nonce
            )
            given = parse_token(grant.token)
            self._changes.record(
                connection,
                f"device {device.id}",
                Action.TOKEN_RENEWED,
                f"device {device.id}",
                now,
                before=asking.id,
                after=None if given is None else given.id,
            )
        return grant

    def note_used(self, used: Mapping[str, datetime]) -> None:
        """Write down when tokens, by id, were first used, and set an end to those of their devices made before.

        One transaction for all; a token that was used already changes nothing. Raises RegistryAway.
        """
        with self._database.writing() as connection:
            for token_id, at in used.items():
                unused = TOKENS.c.id == token_id, TOKENS.c.used_at.is_(None)
                row = connection.execute(select(TOKENS).where(*unused)).first()
                if row is None:
                    continue
                connection.execute(update(TOKENS).where(*unused).values(used_at=at))
                actor = f"device {row.device_id}"
                self._end_before(connection, actor, row.device_id, row.made_at, at + self._overlap)

    def ask_renewal(self, device_id: str, by: str = COLLECTOR) -> datetime:
        """Have a device renew the tokens that were made until now, at its next contact; return the moment.

        The log names `by` as who asked. Raises DeviceUnknown.
        """
        now = self._time.now()
        with self._database.writing() as connection:
            asked = connection.execute(update(DEVICES).where(DEVICES.c.id == device_id).values(renewal_asked_at=now))
            if asked.rowcount != 1:
                raise DeviceUnknown(device_id)
            self._changes.record(connection, by, Action.RENEWAL_ASKED, f"device {device_id}", now, after=now)
        return now

    def ask_renewal_of_all(self, by: str = COLLECTOR) -> int:
        """Have every device that was not revoked renew its token at its next contact; return how many they are."""
        now = self._time.now()
        with self._database.writing() as connection:
            asked = connection.execute(
                update(DEVICES).where(DEVICES.c.status == DeviceStatus.ACTIVE.value).values(renewal_asked_at=now)
            )
            count: int = asked.rowcount
            self._changes.record(connection, by, Action.RENEWAL_ASKED, f"{count} devices", now, after=now)
        return count

    def end_left_behind(self, device_id: str, by: str = COLLECTOR) -> int:
        """End at once the tokens that a device has left behind: those made before the one it uses; return how many.

        The one in use is never ended. The log names `by`. Raises DeviceUnknown, and NothingLeftBehind where the device
        has not used a newer token yet.
        """
        now = self._time.now()
        with self._database.writing() as connection:
            if connection.execute(select(DEVICES.c.id).where(DEVICES.c.id == device_id)).first() is None:
                raise DeviceUnknown(device_id)
            in_use = connection.execute(
                select(_NEWEST).where(TOKENS.c.device_id == device_id, TOKENS.c.used_at.is_not(None), _is_good(now))
            ).scalar()
            count = 0 if in_use is None else self._end_before(connection, by, device_id, in_use, now)
            if not count:
                raise NothingLeftBehind(device_id)
        return count

    def in_use(self) -> Mapping[str, datetime]:
        """Return, by device, when the token was made that it uses; without those that have used none yet."""
        used = select(TOKENS.c.device_id, _NEWEST.label("made_at")).where(TOKENS.c.used_at.is_not(None))
        with self._database.reading() as connection:
            return {row.device_id: row.made_at for row in connection.execute(used.group_by(TOKENS.c.device_id))}

    def _end_before(
        self, connection: Connection, actor: str, device_id: str, made_at: datetime, end_at: datetime
    ) -> int:
        """Let the tokens of a device that were made before `made_at` be good until `end_at` at most."""
        earlier = TOKENS.c.device_id == device_id, TOKENS.c.made_at < made_at, _is_good(end_at)
        ids = list(connection.execute(select(TOKENS.c.id).where(*earlier).order_by(TOKENS.c.id)).scalars())
        if ids:
            connection.execute(update(TOKENS).where(TOKENS.c.id.in_(ids)).values(ended_at=end_at))
            self._changes.record(
                connection, actor, Action.TOKENS_ENDED, f"device {device_id}", self._time.now(), after=[ids, end_at]
            )
        return len(ids)


def give_token(connection: Connection, device_id: str, now: datetime) -> TokenGrant:
    """Give a device a token within the caller's transaction; the newest it has stays good beside it, the others end."""
    newest = select(TOKENS.c.id).where(TOKENS.c.device_id == device_id, _is_good(now)).order_by(TOKENS.c.made_at.desc())
    return _give(connection, device_id, now, keep=connection.execute(newest).scalar())


def _give(
    connection: Connection,
    device_id: str,
    now: datetime,
    *,
    keep: str | None,
    after: datetime | None = None,
    nonce: bytes | None = None,
) -> TokenGrant:
    """Add a token made at `now`, or later where the clock stands before what it follows, and end all but it and `keep`.

    Collectors' clocks differ; which token is the newer one, and whether it was made `after` it was asked for, must not
    hang on that.
    """
    token = new_token()
    credential = parse_token(token)
    if credential is None:
        raise AssertionError("a new token parses")
    own = TOKENS.c.device_id == device_id
    connection.execute(update(TOKENS).where(own, TOKENS.c.id != (keep or ""), _is_good(now)).values(ended_at=now))
    last: datetime | None = connection.execute(select(_NEWEST).where(own)).scalar()
    made_at = max(now, after or now, now if last is None else last + _LEAST)
    connection.execute(
        insert(TOKENS).values(
            id=credential.id,
            secret_hash=credential.secret_hash,
            device_id=device_id,
            made_at=made_at,
            nonce=nonce,
        )
    )
    return TokenGrant(device_id=device_id, token=token, made_at=made_at)


def _is_good(at: datetime) -> ColumnElement[bool]:
    return or_(TOKENS.c.ended_at.is_(None), TOKENS.c.ended_at > at)
