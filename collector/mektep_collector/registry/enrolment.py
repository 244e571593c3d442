"""A computer becomes a device of a school: a one-time code against a key that was made on it.

The same code with the same key again is the same device with a new token, for the first answer may have been lost.
With another key the code is spent. A device belongs to its school for ever.
"""

from datetime import datetime
from random import Random

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Row, insert, select, update

from mektep_collector.registry.change_chain import Action
from mektep_collector.registry.change_log import ChangeLog
from mektep_collector.registry.database import Database
from mektep_collector.registry.devices import device_of
from mektep_collector.registry.error import CodeExpired, CodeSpent, CodeUnknown, EnrolledRevoked, ProofWrong
from mektep_collector.registry.records import Device, DeviceStatus
from mektep_collector.registry.secret import parse_code
from mektep_collector.registry.tables import CODES, DEVICES
from mektep_collector.registry.tokens import give_token
from mektep_wire import EnrolmentRequest, Origin, Purpose, new_uuid7, signing_input


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """The device, and its token, which is shown this once."""

    device: Device
    token: str


class Enrolment:
    """Takes computers in."""

    def __init__(self, database: Database, random: Random, changes: ChangeLog) -> None:
        self._database = database
        self._changes = changes
        self._random = random

    def enrol(self, request: EnrolmentRequest, now: datetime) -> Enrolled:
        """Take a computer in, or give one that was taken in before a new token.

        Raises ProofWrong, CodeUnknown, CodeExpired, CodeSpent or EnrolledRevoked. A wrong secret counts against the
        code although it is refused.
        """
        _check_proof(request)
        credential = parse_code(request.code)
        with self._database.writing() as connection:
            code = connection.execute(select(CODES).where(CODES.c.id == credential.id)).first()
            if code is not None and code.attempts_left_count > 0:
                if credential.matches(code.secret_hash):
                    return self._redeem(connection, code, request, now)
                connection.execute(
                    update(CODES)
                    .where(CODES.c.id == credential.id)
                    .values(attempts_left_count=CODES.c.attempts_left_count - 1)
                )
        raise CodeUnknown("this code is not known, or it was tried wrongly too often")

    def _redeem(
        self, connection: Connection, code: Row[*tuple[object, ...]], request: EnrolmentRequest, now: datetime
    ) -> Enrolled:
        if code.spent_at is None:
            if now >= code.expires_at:
                raise CodeExpired(f"this code was good until {code.expires_at:%Y-%m-%d %H:%M} UTC")
            device = self._add_device(connection, code, request, now)
            # The condition lets one of two computers win that come with the same code at the same moment.
            spent = connection.execute(
                update(CODES)
                .where(CODES.c.id == code.id, CODES.c.spent_at.is_(None))
                .values(spent_at=now, device_id=device.id)
            )
            if spent.rowcount != 1:
                raise CodeSpent("another computer has just used this code")
            action = Action.DEVICE_ENROLLED
        else:
            known = connection.execute(select(DEVICES).where(DEVICES.c.id == code.device_id)).one()
            if known.public_key != request.public_key:
                raise CodeSpent(f"another computer used this code on {code.spent_at:%Y-%m-%d}")
            device = device_of(known)
            if device.status is DeviceStatus.REVOKED:
                raise EnrolledRevoked(f"this computer's device {device.id} was revoked")
            action = Action.TOKEN_ISSUED
        facts = {"school": device.school_id, "code": code.id, "public_key": device.public_key}
        self._changes.record(connection, f"code {code.id}", action, f"device {device.id}", now, after=facts)
        return Enrolled(device=device, token=give_token(connection, device.id, now).token)

    def _add_device(
        self, connection: Connection, code: Row[*tuple[object, ...]], request: EnrolmentRequest, now: datetime
    ) -> Device:
        device = Device(
            id=new_uuid7(now, self._random),
            school_id=code.school_id,
            public_key=request.public_key,
            status=DeviceStatus.ACTIVE,
            enrolled_at=now,
            agent_version=request.agent_version,
            platform=request.platform.value,
            origin=Origin(code.origin),
        )
        row = msgspec.structs.asdict(device) | {"status": device.status.value, "origin": device.origin.value}
        connection.execute(insert(DEVICES).values(**row))
        return device


def _check_proof(request: EnrolmentRequest) -> None:
    try:
        key = Ed25519PublicKey.from_public_bytes(request.public_key)
        key.verify(request.proof, signing_input(Purpose.ENROLMENT, request.code.encode("ascii")))
    except (InvalidSignature, ValueError):
        raise ProofWrong("`proof` is not a signature over the code by the key in `public_key`") from None
