"""What each answer means: only the collector's own words move a reading."""

import pytest

from mektep_agent.uplink.carrier import Answer
from mektep_agent.uplink.verdict import Accepted, Barred, Later, Poisoned, Revoked, TooLarge, judge
from mektep_wire import FailureKind, Fate, FateOutcome, Problem, Receipt, encode
from mektep_wire.problem import PROBLEM_MEDIA_TYPE
from tests.support.agent_time import MONDAY_NOON

BATCH = "01a20783-371f-77d8-8b63-ae20d2932bf3"
OTHER = "01a20783-371f-77d8-8b63-ae20d2932bf4"


def _answer(status: int | None, media_type: str = "", body: bytes = b"", retry_after_s: float | None = None) -> Answer:
    return Answer(
        sent_at=MONDAY_NOON, sent_monotonic_s=1.0, rtt_s=0.1, status=status, media_type=media_type, body=body,
        retry_after_s=retry_after_s, failure=None if status else FailureKind.CONNECTION_REFUSED,
    )  # fmt: skip


def _problem(status: int, kind: str, urn: str = "urn:mektep-meter:problem:") -> Answer:
    problem = Problem(type=urn + kind, title=kind, status=status, detail="what is wrong", field="$.readings[3]")
    return _answer(status, PROBLEM_MEDIA_TYPE, encode(problem))


def _receipt(batch_id: str, *indexes: int) -> bytes:
    fates = [Fate(index=index, outcome=FateOutcome.STORED) for index in indexes]
    return encode(Receipt(batch_id=batch_id, received_at=MONDAY_NOON, fates=fates))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_answer(200, "application/json", _receipt(BATCH, 0, 1)), Accepted),
        (_answer(202, "application/json", _receipt(BATCH)), Accepted),
        (_answer(200, "application/json", _receipt(OTHER, 0, 1)), Later),
        (_answer(200, "application/json", _receipt(BATCH, 0, 0)), Later),
        (_answer(200, "application/json", _receipt(BATCH, 2)), Later),
        (_answer(200, "text/html", b"<html>"), Later),
        (_answer(200, "application/json", b"{}"), Later),
        (_answer(200, "application/json", b"\xff"), Later),
        (_answer(204), Later),
        (_answer(301, "text/html"), Later),
        (_answer(None), Later),
        (_answer(413), TooLarge),
        (_problem(413, "body-too-large"), TooLarge),
        (_problem(400, "malformed"), Poisoned),
        (_problem(422, "invalid-field"), Poisoned),
        (_problem(400, "bad-compression"), Barred),
        (_problem(400, "bad-signature"), Barred),
        (_answer(400, "text/html", b"a filter's page"), Later),
        (_problem(401, "unauthorised"), Barred),
        (_problem(403, "other-device"), Barred),
        (_answer(403, "text/html", b"a filter's page"), Later),
        (_answer(511, "text/html", b"log in"), Later),
        (_problem(410, "device-revoked"), Revoked),
        (_problem(403, "device-revoked"), Revoked),
        (_problem(410, "not-found"), Barred),
        (_answer(410, "text/html"), Later),
        (_problem(410, "device-revoked", "about:"), Later),
        (_problem(429, "too-many-requests"), Later),
        (_problem(503, "unavailable"), Later),
        (_answer(502, "text/html"), Later),
    ],
)
def test_each_answer_has_one_meaning(answer: Answer, kind: type) -> None:
    assert isinstance(judge(answer, BATCH, 2), kind)


def test_a_verdict_says_what_the_collector_said() -> None:
    poisoned = judge(_problem(400, "malformed"), BATCH, 2)
    assert isinstance(poisoned, Poisoned)
    assert (poisoned.field, "what is wrong" in poisoned.reason) == ("$.readings[3]", True)


def test_an_asked_wait_is_passed_on() -> None:
    later = judge(_answer(503, retry_after_s=90.0), BATCH, 2)
    assert isinstance(later, Later)
    assert later.after_s == 90.0
