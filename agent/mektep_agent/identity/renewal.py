"""When the token is renewed, and how the new one takes the old one's place: one on disk is good at every moment.

The new token is on disk before it is used, and beside it the one that asked for it. That one stays for a while though
the new one was accepted: a register that is brought back from a backup knows the old one alone.
"""

from datetime import datetime, timedelta

import msgspec

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.device import Device, load_device, store_device
from mektep_wire import TOKEN_LIFETIME_S, Assignment, TokenGrant

PREVIOUS_KEPT = timedelta(days=30)
"""For so long the token before stays beside the one in use, from when that was made."""


def is_due(device: Device, assignment: Assignment, now: datetime) -> bool:
    """Tell whether the assignment wants the token renewed; `now` is by the collector's clock."""
    made_at = device.token_made_at or device.enrolled_at
    if assignment.renewal_asked_at is not None and made_at < assignment.renewal_asked_at:
        return True
    lifetime_s = TOKEN_LIFETIME_S if assignment.token_lifetime_s is None else assignment.token_lifetime_s
    return 0 < lifetime_s <= (now - made_at).total_seconds()


def renewed(device: Device, asked_by: str, grant: TokenGrant) -> Device:
    """Return the device with the token that it was given, and beside it the one that it asked by."""
    return msgspec.structs.replace(device, token=grant.token, token_made_at=grant.made_at, previous_token=asked_by)


def without_previous(device: Device, now: datetime) -> Device:
    """Return the device, whose token was accepted, without the one before if that was kept long enough."""
    if device.previous_token is None or now - (device.token_made_at or device.enrolled_at) < PREVIOUS_KEPT:
        return device
    return msgspec.structs.replace(device, previous_token=None)


def replace_device(folder: StateFolder, before: Device, after: Device) -> bool:
    """Keep `after` if `before` is on disk still, and tell whether it was; the caller holds `folder.identity_lock`.

    A courier may outlive the daemon that started it, and must not undo what was done since. Raises IdentityError and
    OSError.
    """
    if load_device(folder) != before:
        return False
    store_device(folder, after)
    return True
