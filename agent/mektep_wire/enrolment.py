"""How a computer becomes a device of a school: a one-time code against a key made on the device.

The device is known by its key, never by its hardware. Asking again with the same code and the same key, because the
answer was lost, gives the same device with a new token; with another key the code is spent.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from mektep_wire.assignment import SignedAssignment
from mektep_wire.identifier import Identifier
from mektep_wire.reading import Aware, Version
from mektep_wire.signature import PublicKey, Signature


class Platform(StrEnum):
    """Operating system of the device, for version reports."""

    LINUX = "linux"
    WINDOWS = "windows"
    MACOS = "macos"
    OTHER = "other"


Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{6}\.[a-z0-9]{16}$")]
Token = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]{20,200}$")]


class EnrolmentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`proof` is the signature, by the key that is enrolled, over the code's bytes: it shows that the key is held."""

    code: Code
    public_key: PublicKey
    proof: Signature
    agent_version: Version
    platform: Platform


class EnrolmentGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the device keeps: its id, its bearer token, the collector's key and the first assignment."""

    device_id: Identifier
    token: Token
    school_name: Annotated[str, msgspec.Meta(max_length=300)]
    collector_public_key: PublicKey
    assignment: SignedAssignment
    enrolled_at: Aware
