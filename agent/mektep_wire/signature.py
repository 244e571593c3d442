"""What is signed, and how a signature is written: Ed25519 (RFC 8032) over exact bytes, with a purpose in front.

The purpose keeps a signature made for one thing from being shown for another. Making and checking signatures is not
done here: the agent's `identity` and the collector's `registry` do it with a library.
"""

import base64
import binascii
from enum import StrEnum
from typing import Annotated

import msgspec

SIGNATURE_HEADER = "Mektep-Signature"
SIGNATURE_BYTES = 64
PUBLIC_KEY_BYTES = 32
# In JSON bytes are base64 (RFC 4648, section 4): lengths alone would describe texts that encode fewer of them, or none.
Signature = Annotated[
    bytes,
    msgspec.Meta(
        min_length=SIGNATURE_BYTES,
        max_length=SIGNATURE_BYTES,
        extra_json_schema={"pattern": "^[A-Za-z0-9+/]{85}[AQgw]==$"},
    ),
]
"""64 bytes of Ed25519."""
PublicKey = Annotated[
    bytes,
    msgspec.Meta(
        min_length=PUBLIC_KEY_BYTES,
        max_length=PUBLIC_KEY_BYTES,
        extra_json_schema={"pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"},
    ),
]
"""32 bytes of Ed25519."""


class Purpose(StrEnum):
    """What a signature vouches for."""

    BATCH = "batch"
    ENROLMENT = "enrolment"
    ASSIGNMENT = "assignment"
    TOKEN = "token"  # noqa: S105 (no secret: the name of a purpose)


def signing_input(purpose: Purpose, payload: bytes) -> bytes:
    """Return the bytes to sign for `payload`: the exact bytes that cross the wire, compressed or not."""
    return b"mektep-meter/1/" + purpose.value.encode() + b"\n" + payload


def format_signature(signature: bytes) -> str:
    """Return the text form, for a header or a field: `ed25519=` and base64."""
    return "ed25519=" + base64.b64encode(signature).decode("ascii")


def parse_signature(text: str) -> bytes:
    """Return the 64 bytes of a signature in text form; raises ValueError that says what is wrong with it."""
    scheme, separator, encoded = text.partition("=")
    if scheme != "ed25519" or not separator:
        raise ValueError("a signature reads `ed25519=` and base64")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the signature is not base64: {error}") from None
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
    return signature
