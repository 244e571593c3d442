"""Codes from a person's phone: time-based one-time passwords (RFC 6238), each good once.

The secret has to be known to the collector in the clear, so the database holds it sealed with the collector's key.
"""

import secrets
from datetime import datetime
from typing import Final

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mektep_collector.registry.error import KeyFileError
from mektep_collector.registry.signing_key import SigningKey

_LABEL: Final = b"mektep-meter/1/secrets of second factors"
_STEP_S: Final = 30
_NONCE_BYTES: Final = 12
_ISSUER: Final = "Mektep Meter"


class SecondFactors:
    """Makes secrets and checks codes."""

    def __init__(self, key: SigningKey) -> None:
        self._cipher = AESGCM(key.derived(_LABEL))

    def new(self, login: str) -> tuple[str, bytes]:
        """Return the address that a person's phone takes in (`otpauth://`), shown once, and what to keep of it."""
        secret = pyotp.random_base32()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        kept = nonce + self._cipher.encrypt(nonce, secret.encode("ascii"), login.encode())
        return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER), kept

    def step_of(self, kept: bytes, login: str, code: str, now: datetime) -> int | None:
        """Return the step of time that a code belongs to, which is the present one or a neighbour; None for no such.

        Raises KeyFileError where the secret was sealed with another key.
        """
        try:
            secret = self._cipher.decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], login.encode()).decode("ascii")
        except InvalidTag:
            raise KeyFileError(
                f"the second factor of {login} was sealed with another key: bring that key file back from a backup, or "
                "give the person a new one with `mektep-collector people totp`"
            ) from None
        digits = code.replace(" ", "")
        totp, present = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_S
        right = [step for step in (present - 1, present, present + 1) if pyotp.utils.strings_equal(
            totp.at(step * _STEP_S), digits)]  # fmt: skip
        return right[-1] if right else None
