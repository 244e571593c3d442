"""The device that this computer is: what an enrolment leaves behind, kept in one file so that it is whole or absent.

Errors::

    IdentityError        the file cannot be read or is not what was written; the message says what to do
"""

from datetime import datetime

import msgspec

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.address import PlainHttp


class IdentityError(Exception):
    """An identity that cannot be used; the message says what to do."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device of a school. `private_key` and the tokens are secrets: they are never logged.

    `collector_address` is the IP address that answered the enrolment; empty where a proxy stood between.
    `previous_token` is what `token` was asked for by; `token_made_at` is by the collector's clock, None for one from
    the enrolment.
    """

    device_id: str
    token: str
    private_key: bytes
    collector_url: str
    collector_public_key: bytes
    plain_http: PlainHttp
    school_name: str
    enrolled_at: datetime
    collector_address: str = ""
    token_made_at: datetime | None = None
    previous_token: str | None = None

    def __repr__(self) -> str:
        """Name the device without its secrets."""
        return f"Device({self.device_id} at {self.collector_url})"


class PendingEnrolment(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolment that was asked for: asked again with the same key, a lost answer does no harm."""

    collector_url: str
    code: str
    private_key: bytes

    def __repr__(self) -> str:
        """Name the collector without the secrets."""
        return f"PendingEnrolment(at {self.collector_url})"


def load_device(folder: StateFolder) -> Device | None:
    """Return the device, or None where none was enrolled; raises IdentityError."""
    try:
        return msgspec.json.decode(folder.identity.read_bytes(), type=Device)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IdentityError(
            f"the identity {folder.identity} cannot be read: {error}; repair its rights, or enrol anew with --replace"
        ) from error


def store_device(folder: StateFolder, device: Device) -> None:
    """Keep the device; raises OSError."""
    folder.write(folder.identity, msgspec.json.encode(device))


def load_pending(folder: StateFolder, collector_url: str, code: str) -> PendingEnrolment | None:
    """Return the enrolment that was begun with this collector and code, or None."""
    try:
        pending = msgspec.json.decode(folder.enrolment.read_bytes(), type=PendingEnrolment)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return pending if (pending.collector_url, pending.code) == (collector_url, code) else None


def store_pending(folder: StateFolder, pending: PendingEnrolment) -> None:
    """Keep the enrolment until its answer has come; raises OSError."""
    folder.write(folder.enrolment, msgspec.json.encode(pending))


def forget_pending(folder: StateFolder) -> None:
    """Drop the enrolment once its answer is kept."""
    folder.enrolment.unlink(missing_ok=True)
