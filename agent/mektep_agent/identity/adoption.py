"""Whether an assignment is taken in: signed by this device's collector, for this device, and newer than the last."""

import msgspec

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.keys import is_signed
from mektep_agent.identity.last_assignment import AssignmentError, load_signed, read_assignment
from mektep_wire import Assignment, Purpose, SignedAssignment


def checked(signed: SignedAssignment, collector_public_key: bytes, device_id: str) -> Assignment:
    """Return the assignment inside; raises AssignmentError where it is forged, foreign or cannot be followed."""
    if not is_signed(collector_public_key, Purpose.ASSIGNMENT, signed.payload, signed.signature):
        raise AssignmentError("the assignment is not signed by the collector that this device was enrolled with")
    assignment = read_assignment(signed.payload)
    if assignment.device_id != device_id:
        raise AssignmentError(f"the assignment is for another device, {assignment.device_id}")
    return assignment


def adopt(
    folder: StateFolder, signed: SignedAssignment, collector_public_key: bytes, device_id: str
) -> Assignment | None:
    """Keep the assignment if it is good and newer, and return it; return None for the version that is in force already.

    Raises AssignmentError for a bad or an older one, and OSError where it cannot be kept.
    """
    assignment = checked(signed, collector_public_key, device_id)
    current = _in_force(folder, collector_public_key, device_id)
    if current is not None:
        if assignment.version < current.version:
            raise AssignmentError(f"version {assignment.version} is older than version {current.version} in force")
        if assignment.version == current.version:
            return None
    folder.write(folder.assignment, msgspec.json.encode(signed))
    return assignment


def _in_force(folder: StateFolder, collector_public_key: bytes, device_id: str) -> Assignment | None:
    """Return the last good assignment; a damaged file, or one of an earlier device, does not stand in the way."""
    try:
        last = load_signed(folder)
        return None if last is None else checked(last, collector_public_key, device_id)
    except AssignmentError:
        return None
