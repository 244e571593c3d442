"""How a device renews its bearer token: by the token it has and by its key. A stolen token alone renews nothing.

The token by which a device asks goes on being good until the new one was used, and for an overlap after that, so a lost
answer does no harm: the device asks again, with a new `nonce`.
"""

from typing import Annotated

import msgspec

from mektep_wire.enrolment import Token
from mektep_wire.identifier import Identifier
from mektep_wire.reading import Aware

RENEWAL_NONCE_BYTES = 16
RENEWAL_FRESH_S = 600.0
"""A request that was made so long before or after it comes, by the collector's clock, is refused."""


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Asks for a new token; the device's key signs the exact bytes of it (`Purpose.TOKEN`).

    `asked_at` is the time by the collector's clock, as the last receipt told it. `nonce` is drawn for this request
    alone: the same request a second time gives nothing.
    """

    device_id: Identifier
    asked_at: Aware
    nonce: Annotated[
        bytes,
        msgspec.Meta(
            min_length=RENEWAL_NONCE_BYTES,
            max_length=RENEWAL_NONCE_BYTES,
            extra_json_schema={"pattern": "^[A-Za-z0-9+/]{21}[AQgw]==$"},
        ),
    ]


class TokenGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The device's new token, shown this once. `made_at` is by the collector's clock."""

    device_id: Identifier
    token: Token
    made_at: Aware

    def __repr__(self) -> str:
        """Name the device without the token."""
        return f"TokenGrant(to {self.device_id})"
