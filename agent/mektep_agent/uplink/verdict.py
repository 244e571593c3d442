"""What an answer to a batch means. Pure: a table of cases and nothing else.

Only a collector's own words move a reading out of the outbox: a receipt for this very batch, or a problem that the
collector signed with its media type. Anything else, such as a captive portal's page, is trouble on the way.
"""

from collections.abc import Sequence

import msgspec

from mektep_agent.uplink.carrier import Answer
from mektep_wire import Problem, ProblemKind, Receipt, WireError, decode
from mektep_wire.problem import PROBLEM_MEDIA_TYPE

_JSON = "application/json"
_PROBLEM_URN = "urn:mektep-meter:problem:"
_REVOKED = _PROBLEM_URN + ProblemKind.DEVICE_REVOKED.value
_UNAUTHORISED = _PROBLEM_URN + ProblemKind.UNAUTHORISED.value
_POISON = {ProblemKind.MALFORMED.value, ProblemKind.INVALID_FIELD.value}
_SHOWN_LETTERS = 200


class Accepted(msgspec.Struct, frozen=True):
    """The collector names the fates of readings."""

    receipt: Receipt


class TooLarge(msgspec.Struct, frozen=True):
    """The batch is too large for the way or the collector: halve it."""

    reason: str


class Poisoned(msgspec.Struct, frozen=True):
    """The collector cannot read the batch as a whole: halve it to find the reading that spoils it."""

    field: str
    reason: str


class Later(msgspec.Struct, frozen=True):
    """Trouble that passes: try again, for ever."""

    reason: str
    after_s: float | None = None


class Barred(msgspec.Struct, frozen=True):
    """The collector will not take batches from this device as things stand: keep all, ask again slowly."""

    reason: str


class Revoked(msgspec.Struct, frozen=True):
    """The collector took this device off its list: it needs to be enrolled again."""

    reason: str


Verdict = Accepted | TooLarge | Poisoned | Later | Barred | Revoked


def judge(answer: Answer, batch_id: str, readings_count: int) -> Verdict:
    """Return what `answer` means for the batch of this id with so many readings."""
    if answer.status is None:
        kind = answer.failure.value if answer.failure else "no answer"
        return Later(f"{kind}: {answer.detail}" if answer.detail else kind)
    if answer.status in {200, 202}:
        return _judge_receipt(answer, batch_id, readings_count)
    problem = problem_in(answer)
    said = _said(answer, problem)
    if answer.status == 413:
        return TooLarge(said)
    if answer.status in {401, 403, 410} and problem is not None and problem.type == _REVOKED:
        return Revoked(said)
    if answer.status in {400, 422} and problem is not None and problem.type.removeprefix(_PROBLEM_URN) in _POISON:
        return Poisoned(problem.field or "$", said)
    if answer.status in {408, 425, 429} or answer.status >= 500 or answer.status < 400:
        return Later(said, answer.retry_after_s)
    if problem is None:
        return Later(f"{said}, and not in the collector's words: something on the way answered")
    return Barred(said)


def is_unknown_token(answer: Answer) -> bool:
    """Tell whether the collector says that the token opens nothing; what stands on the way may not say so."""
    problem = problem_in(answer)
    return answer.status == 401 and problem is not None and problem.type == _UNAUTHORISED


def problem_in(answer: Answer) -> Problem | None:
    """Return the problem that the collector states, or None where these are not a collector's words."""
    if answer.media_type != PROBLEM_MEDIA_TYPE:
        return None
    try:
        problem = decode(Problem, answer.body)
    except WireError:
        return None
    return problem if problem.type.startswith(_PROBLEM_URN) else None


def _judge_receipt(answer: Answer, batch_id: str, readings_count: int) -> Verdict:
    if answer.media_type != _JSON:
        return Later(f"a {answer.media_type or 'nameless'} page came instead of a receipt: is there a login page?")
    try:
        receipt = decode(Receipt, answer.body)
    except WireError as error:
        return Later(f"the receipt does not read: {error}")
    if receipt.batch_id != batch_id:
        return Later(f"the receipt is for another batch, {receipt.batch_id}")
    fates = receipt.fates
    indexes = {fate.index for fate in fates}
    if len(indexes) != len(fates) or any(index >= readings_count for index in indexes):
        return Later("the receipt names readings that were not sent, or one of them twice")
    return Accepted(receipt)


def _said(answer: Answer, problem: Problem | None) -> str:
    if problem is None:
        return f"HTTP {answer.status}"
    words: Sequence[str] = [word for word in (problem.title, problem.detail, problem.advice) if word]
    return f"HTTP {answer.status}: {'; '.join(words)}"[: _SHOWN_LETTERS * 2]
