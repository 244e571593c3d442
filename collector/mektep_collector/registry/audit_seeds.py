"""The seeds by which devices draw their audits: each device has its own, and none is kept, only computed.

A seed stays the same for as long as the collector's key does, so what a device did can be checked at any time; without
the key nobody can tell which test of another device is going to be an audit.
"""

from typing import Final

from mektep_collector.registry.signing_key import SigningKey
from mektep_wire import AUDIT_SEED_BYTES

_LABEL: Final = b"mektep-meter audit seed 1\n"


class AuditSeeds:
    """Computes seeds."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def of(self, device_id: str) -> bytes:
        """Return a device's seed."""
        return self._key.derived(_LABEL + device_id.encode())[:AUDIT_SEED_BYTES]
