"""Who sends: a bearer token becomes its device, from memory where it was asked for a moment ago."""

import hashlib
import threading
from collections import OrderedDict
from datetime import datetime

import msgspec
from sqlalchemy import select

from mektep_collector.clock import TimeSource
from mektep_collector.registry.database import Database
from mektep_collector.registry.devices import Devices, device_of
from mektep_collector.registry.error import RegistryAway, SenderRevoked, SenderUnknown
from mektep_collector.registry.records import Device, DeviceStatus
from mektep_collector.registry.secret import parse_token
from mektep_collector.registry.tables import DEVICES, TOKENS
from mektep_collector.registry.tokens import Tokens

REMEMBERED_S = 30.0
"""For so long a revoked device or an ended token may still be let in."""
TRUSTED_S = 900.0
"""So much longer, while the database is away."""
_AWAY_S = 5.0
_REMEMBERED_COUNT = 100_000


class _Remembered(msgspec.Struct, frozen=True):
    device: Device
    until_s: float


class Senders:
    """Authentication of devices by token. Safe for many threads."""

    def __init__(self, database: Database, devices: Devices, tokens: Tokens, time: TimeSource) -> None:
        self._database = database
        self._devices = devices
        self._tokens = tokens
        self._time = time
        self._lock = threading.Lock()
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._seen: set[str] = set()
        self._first_used: dict[str, datetime] = {}
        self._away_until_s = float("-inf")

    def authenticate(self, token: str) -> Device:
        """Return the device that holds `token`; raises SenderUnknown, SenderRevoked or RegistryAway.

        Looks into the database once in `REMEMBERED_S` for each token, and not at all for a text that is no token. While
        the database is away, who was let in within `TRUSTED_S` is let in still: readings are kept meanwhile.
        """
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        with self._lock:
            known = self._remembered.get(digest)
            if known is not None and self._time.monotonic_s() < known.until_s:
                self._seen.add(known.device.id)
                return known.device
        try:
            device = self._look_up_if_near(token)
        except RegistryAway:
            if known is None or self._time.monotonic_s() >= known.until_s + TRUSTED_S:
                raise
            return known.device
        with self._lock:
            self._remembered[digest] = _Remembered(device, self._time.monotonic_s() + REMEMBERED_S)
            self._remembered.move_to_end(digest)
            if len(self._remembered) > _REMEMBERED_COUNT:
                self._remembered.popitem(last=False)
            self._seen.add(device.id)
        return device

    def write_seen(self) -> None:
        """Write down that the devices let in since the last call were seen now, and which tokens were used first.

        Raises RegistryAway; the next call writes those too.
        """
        with self._lock:
            seen, self._seen = self._seen, set()
            first_used, self._first_used = self._first_used, {}
        try:
            if first_used:
                self._tokens.note_used(first_used)
                first_used = {}
            if seen:
                self._devices.note_seen(dict.fromkeys(seen, self._time.now()))
        except RegistryAway:
            with self._lock:
                self._seen |= seen
                self._first_used = first_used | self._first_used
            raise

    def _look_up_if_near(self, token: str) -> Device:
        """Look up, but not for some seconds after the database was found away: each try would hold up all requests."""
        if self._time.monotonic_s() < self._away_until_s:
            raise RegistryAway("the registry cannot be used at the moment")
        try:
            return self._look_up(token)
        except RegistryAway:
            self._away_until_s = self._time.monotonic_s() + _AWAY_S
            raise

    def _look_up(self, token: str) -> Device:
        credential = parse_token(token)
        if credential is None:
            raise SenderUnknown("the token is not one that this collector gives")
        query = (
            select(DEVICES, TOKENS.c.secret_hash, TOKENS.c.ended_at, TOKENS.c.used_at)
            .join_from(TOKENS, DEVICES, TOKENS.c.device_id == DEVICES.c.id)
            .where(TOKENS.c.id == credential.id)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None or not credential.matches(row.secret_hash):
            raise SenderUnknown("the token is not known here")
        now = self._time.now()
        if row.ended_at is not None and row.ended_at <= now:
            raise SenderUnknown("the token was replaced by newer ones")
        device = device_of(row)
        if device.status is DeviceStatus.REVOKED:
            raise SenderRevoked(f"the device {device.id} was revoked")
        if row.used_at is None:
            with self._lock:
                self._first_used.setdefault(credential.id, now)
        return device
