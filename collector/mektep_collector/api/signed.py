"""That a body is its device's own: an Ed25519 signature over the exact bytes as sent, checked before they are read."""

from functools import lru_cache

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from starlette.requests import Request

from mektep_collector.api.problems import ProblemError
from mektep_collector.registry.records import Device
from mektep_wire import ProblemKind, Purpose, parse_signature, signing_input
from mektep_wire.signature import SIGNATURE_HEADER

SIGNATURE_PARAMETER: dict[str, object] = {
    "name": SIGNATURE_HEADER,
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "description": "ed25519= and the base64 of the device's signature over the body's exact bytes as sent",
}
"""How the header is described in the OpenAPI document."""


def checked_signature(request: Request, device: Device, purpose: Purpose, payload: bytes) -> bytes:
    """Return the signature's bytes; raises ProblemError unless the device's key signed `payload` for `purpose`."""
    text = request.headers.get(SIGNATURE_HEADER)
    if text is None:
        raise _unsigned(f"the header {SIGNATURE_HEADER} is missing")
    try:
        signature = parse_signature(text)
    except ValueError as error:
        raise _unsigned(f"the header {SIGNATURE_HEADER} cannot be read: {error}") from None
    try:
        _public_key(device.public_key).verify(signing_input(purpose, payload), signature)
    except BadSignatureError:
        raise _unsigned(f"the signature is not one of device {device.id} over these bytes") from None
    return signature


@lru_cache(maxsize=16_384)
def _public_key(raw: bytes) -> VerifyKey:
    # libsodium checks a signature in some 60 us where OpenSSL takes 110, and this is done for every batch.
    return VerifyKey(raw)


def _unsigned(detail: str) -> ProblemError:
    return ProblemError(
        ProblemKind.BAD_SIGNATURE,
        detail,
        advice=(
            "sign the exact bytes of the body as it is sent, after compression, with the key that the device was "
            "enrolled with; if that key is lost, enrol anew; a proxy that changes bodies must be told not to"
        ),
    )
