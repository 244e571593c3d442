"""The device as it speaks to its collector: by its token, or, where that opens nothing, by the one before it."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec

from mektep_agent.config.lock import LockedError, only_one
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.adoption import adopt
from mektep_agent.identity.device import Device, IdentityError
from mektep_agent.identity.last_assignment import AssignmentError, load_assignment
from mektep_agent.identity.renewal import is_due, renewed, replace_device, without_previous
from mektep_agent.uplink.carrier import Answer, Consignment, News, NewsOutcome, Renewal, RenewalOutcome
from mektep_agent.uplink.http_collector import HttpCollector
from mektep_agent.uplink.verdict import Accepted, is_unknown_token, judge, problem_in
from mektep_wire import (
    RENEWAL_NONCE_BYTES,
    LeaseEnd,
    SignedAssignment,
    TokenGrant,
    TokenRequest,
    WireError,
    decode,
    encode,
)

_JSON = "application/json"


class Correspondence:
    """One opening towards the collector. Blocks, as the collector does; whoever made that closes it."""

    def __init__(self, folder: StateFolder, collector: HttpCollector, device: Device) -> None:
        self._folder = folder
        self._collector = collector
        self._device = device
        self._token = device.token

    def send(self, consignment: Consignment) -> Answer:
        """Sign and post one batch."""
        answer = self._by_token(lambda device: self._collector.post_batch(device, consignment))
        if self._device.previous_token is not None and self._token == self._device.token:
            verdict = judge(answer, consignment.batch_id, len(consignment.readings))
            if isinstance(verdict, Accepted):
                self._forget_previous(verdict.receipt.received_at)
        return answer

    def fetch_assignment(self, current_version: int) -> News:
        """Ask for a newer assignment and keep it if it is good; the last good one stays otherwise."""
        answer = self._by_token(lambda device: self._collector.get_assignment(device, current_version))
        if answer.status == 304:
            return News(outcome=NewsOutcome.UNCHANGED, version=current_version)
        if answer.status != 200 or answer.media_type != _JSON:
            return News(outcome=NewsOutcome.UNREACHED, detail=_said(answer))
        try:
            signed = decode(SignedAssignment, answer.body)
            taken = adopt(self._folder, signed, self._device.collector_public_key, self._device.device_id)
        except (WireError, AssignmentError) as error:
            return News(outcome=NewsOutcome.REFUSED, detail=str(error))
        if taken is None:
            return News(outcome=NewsOutcome.UNCHANGED, version=current_version)
        return News(outcome=NewsOutcome.ADOPTED, version=taken.version)

    def ask_lease(self, for_s: float) -> Answer:
        """Ask for the school's line."""
        return self._by_token(lambda device: self._collector.post_lease(device, for_s))

    def end_lease(self, lease_id: str, end: LeaseEnd) -> Answer:
        """Give the school's line back."""
        return self._by_token(lambda device: self._collector.delete_lease(device, lease_id, end))

    def renew_token(self, at: datetime) -> Renewal:
        """Renew the token if the assignment says so, or if the newest one opens nothing; `at` is the collector's time.

        The new one is on disk before it is used. Killed at any step, this leaves a token on disk that is good.
        """
        if not self._is_due(at):
            return Renewal(outcome=RenewalOutcome.NOT_DUE)
        try:
            with only_one(self._folder.identity_lock):
                return self._renewed(at)
        except LockedError as error:
            return Renewal(outcome=RenewalOutcome.NOT_KEPT, detail=str(error))
        except (IdentityError, OSError) as error:
            return Renewal(outcome=RenewalOutcome.NOT_KEPT, detail=f"the new token cannot be kept: {error}")

    def _is_due(self, at: datetime) -> bool:
        if self._token != self._device.token:
            return True
        try:
            assignment = load_assignment(self._folder)
        except AssignmentError:
            return False
        return assignment is not None and is_due(self._device, assignment, at)

    def _renewed(self, at: datetime) -> Renewal:
        nonce = secrets.token_bytes(RENEWAL_NONCE_BYTES)
        request = TokenRequest(device_id=self._device.device_id, asked_at=at, nonce=nonce)
        answer = self._collector.post_token(self._speaking(), encode(request))
        if problem_in(answer) is not None:
            return Renewal(outcome=RenewalOutcome.REFUSED, detail=_said(answer))
        if answer.status != 201 or answer.media_type != _JSON:
            return Renewal(outcome=RenewalOutcome.UNREACHED, detail=_said(answer))
        try:
            grant = decode(TokenGrant, answer.body)
        except WireError as error:
            return Renewal(outcome=RenewalOutcome.UNREACHED, detail=f"the grant does not read: {error.field}")
        if grant.device_id != self._device.device_id:
            return Renewal(outcome=RenewalOutcome.UNREACHED, detail="the grant is for another device")
        after = renewed(self._device, self._token, grant)
        if not replace_device(self._folder, self._device, after):
            return Renewal(outcome=RenewalOutcome.NOT_KEPT, detail="the identity was changed meanwhile")
        self._device, self._token = after, after.token
        return Renewal(outcome=RenewalOutcome.RENEWED)

    def _by_token(self, ask: Callable[[Device], Answer]) -> Answer:
        """Return the answer by the token in use; where it opens nothing, by the one before it if that opens more."""
        answer = ask(self._speaking())
        previous = self._device.previous_token
        if previous is None or self._token == previous or not is_unknown_token(answer):
            return answer
        other = ask(msgspec.structs.replace(self._device, token=previous))
        if is_unknown_token(other):
            return answer
        self._token = previous
        return other

    def _speaking(self) -> Device:
        return msgspec.structs.replace(self._device, token=self._token)

    def _forget_previous(self, now: datetime) -> None:
        after = without_previous(self._device, now)
        if after == self._device:
            return
        # Whatever stands in the way, it is done at another sending.
        with suppress(LockedError, IdentityError, OSError), only_one(self._folder.identity_lock):
            if replace_device(self._folder, self._device, after):
                self._device = after


def _said(answer: Answer) -> str:
    problem = problem_in(answer)
    if problem is not None:
        return f"HTTP {answer.status}: {problem.detail or problem.title}"
    return f"HTTP {answer.status}" if answer.status else f"{answer.failure}: {answer.detail}"
