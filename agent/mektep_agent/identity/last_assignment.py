"""The last good assignment. It was checked when it was taken in (`adoption`), so reading it needs no cryptography."""

from zoneinfo import ZoneInfo

import msgspec

from mektep_agent.config.state_folder import StateFolder
from mektep_wire import Assignment, SignedAssignment, WireError, decode


class AssignmentError(Exception):
    """An assignment that is refused; the message says why. The last good one stays."""


def read_assignment(payload: bytes) -> Assignment:
    """Return the assignment that was signed; raises AssignmentError where this computer cannot follow it."""
    try:
        assignment = decode(Assignment, payload)
    except WireError as error:
        raise AssignmentError(f"the assignment does not read: {error}") from error
    try:
        ZoneInfo(assignment.time_zone)
    except (KeyError, ValueError, OSError) as error:  # the three ways in which zoneinfo says that there is none
        raise AssignmentError(f"the assignment's time zone {assignment.time_zone!r} is unknown here") from error
    return assignment


def load_signed(folder: StateFolder) -> SignedAssignment | None:
    """Return the last good assignment as it was signed, or None; raises AssignmentError for a damaged file."""
    try:
        return msgspec.json.decode(folder.assignment.read_bytes(), type=SignedAssignment)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AssignmentError(f"the assignment {folder.assignment} cannot be read: {error}") from error


def load_assignment(folder: StateFolder) -> Assignment | None:
    """Return the last good assignment, or None where none was taken in; raises AssignmentError."""
    signed = load_signed(folder)
    return None if signed is None else read_assignment(signed.payload)
