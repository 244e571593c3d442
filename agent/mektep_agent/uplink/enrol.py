"""Becoming a device of a school: a key made here, a one-time code, and an answer that may get lost and be asked again.

Errors::

    EnrolmentError       the collector refused, or what it answered cannot be used; the message says what to do
        UnreachedError       no collector answered; asking again later with the same code is safe
"""

import sys

from mektep_agent.clock import TimeSource
from mektep_agent.config.lock import only_one
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.address import PlainHttp, own_address
from mektep_agent.identity.adoption import adopt, checked
from mektep_agent.identity.device import (
    Device,
    PendingEnrolment,
    forget_pending,
    load_pending,
    store_device,
    store_pending,
)
from mektep_agent.identity.keys import new_private_key, public_key_of, sign
from mektep_agent.identity.last_assignment import AssignmentError
from mektep_agent.uplink.carrier import Answer
from mektep_agent.uplink.http_collector import HttpCollector
from mektep_agent.uplink.verdict import problem_in
from mektep_wire import VERSION, EnrolmentGrant, EnrolmentRequest, Platform, Purpose, WireError, decode, encode

_PLATFORMS = {"linux": Platform.LINUX, "win32": Platform.WINDOWS, "darwin": Platform.MACOS}


class EnrolmentError(Exception):
    """An enrolment that did not come about; the message says what to do."""


class UnreachedError(EnrolmentError):
    """No collector answered."""


def enrol(
    folder: StateFolder, collector: HttpCollector, url: str, code: str, plain_http: PlainHttp, time: TimeSource
) -> Device:
    """Enrol this computer and keep what the collector granted.

    Raises EnrolmentError, LockedError while a courier of an earlier run renews its token, and OSError for the disk.

    An identity that was there before is set aside under another name, never deleted.
    """
    pending = load_pending(folder, url, code)
    if pending is None:
        pending = PendingEnrolment(collector_url=url, code=code, private_key=new_private_key())
        store_pending(folder, pending)
    answer = collector.post_enrolment(encode(_request(pending)))
    grant = _granted(answer)
    device = Device(
        device_id=grant.device_id,
        token=grant.token,
        private_key=pending.private_key,
        collector_url=url,
        collector_public_key=grant.collector_public_key,
        plain_http=plain_http,
        school_name=grant.school_name,
        enrolled_at=grant.enrolled_at,
        collector_address=own_address(url, answer.peer),
    )
    try:
        checked(grant.assignment, grant.collector_public_key, grant.device_id)
    except AssignmentError as error:
        raise EnrolmentError(f"the collector's first assignment cannot be used: {error}") from error
    with only_one(folder.identity_lock):
        for old in (folder.identity, folder.assignment, folder.outbox):
            if old.exists():
                folder.set_aside(old, "replaced", time.now())
        store_device(folder, device)
    adopt(folder, grant.assignment, device.collector_public_key, device.device_id)
    forget_pending(folder)
    return device


def _request(pending: PendingEnrolment) -> EnrolmentRequest:
    return EnrolmentRequest(
        code=pending.code,
        public_key=public_key_of(pending.private_key),
        proof=sign(pending.private_key, Purpose.ENROLMENT, pending.code.encode()),
        agent_version=VERSION,
        platform=_PLATFORMS.get(sys.platform, Platform.OTHER),
    )


def _granted(answer: Answer) -> EnrolmentGrant:
    if answer.status is None:
        kind = answer.failure.value if answer.failure else "no answer"
        raise UnreachedError(f"the collector is out of reach ({kind}: {answer.detail}); ask again, the code stays good")
    problem = problem_in(answer)
    if problem is not None:
        advice = f" {problem.advice}" if problem.advice else ""
        raise EnrolmentError(f"the collector refused: {problem.detail or problem.title}.{advice}")
    if answer.status != 201 or answer.media_type != "application/json":
        shown = f"HTTP {answer.status}, {answer.media_type or 'no type'}"
        raise UnreachedError(
            f"no collector answered, but something on the way ({shown}): "
            "is there a login page, or is the address another program's?"
        )
    try:
        return decode(EnrolmentGrant, answer.body)
    except WireError as error:
        raise EnrolmentError(
            f"the collector's grant does not read: {error}; are agent and collector of one age?"
        ) from None
