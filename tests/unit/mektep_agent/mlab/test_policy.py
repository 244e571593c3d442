"""M-Lab's rules hold by construction: no consent, no test; four in any day at most; six hours apart in the mean."""

import itertools
import random
from datetime import datetime, timedelta
from statistics import mean
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.config.settings import MlabDataPolicy
from mektep_agent.mlab.answer import LocateOutcome, read_answer
from mektep_agent.mlab.consent import Consent
from mektep_agent.mlab.locate import is_locate, locate_url
from mektep_agent.mlab.policy import (
    LEAST_GAP_S,
    LONGEST_GAP_S,
    MlabLog,
    gap_s,
    may_begin,
    set_right,
    with_refusal,
    with_test,
)
from mektep_wire import FailureKind
from tests.support.agent_time import MONDAY_NOON
from tests.support.school_assignment import DEVICE_ID

LOCATE = "https://locate.measurementlab.net/v2/nearest/ndt/ndt7"


def test_there_is_no_consent_without_an_acceptance() -> None:
    with pytest.raises(ValueError, match="mlab_data_policy"):
        Consent(MlabDataPolicy.NOT_ACCEPTED)
    assert Consent(MlabDataPolicy.ACCEPTED).given is MlabDataPolicy.ACCEPTED


def test_gaps_are_drawn_as_m_lab_asks() -> None:
    chance = random.Random(8)
    gaps = [gap_s(chance) for _ in range(20_000)]
    assert min(gaps) == LEAST_GAP_S
    assert max(gaps) == LONGEST_GAP_S
    assert mean(gaps) == pytest.approx(20_100, rel=0.03)  # of the clamped distribution


@given(st.integers(0, 2**32), st.lists(st.floats(60, 20_000), min_size=1, max_size=400))
def test_however_often_it_is_asked_no_day_has_more_than_four_and_no_gap_is_too_short(
    seed: int, waits_s: list[float]
) -> None:
    chance, log, now, begun = random.Random(seed), MlabLog(), MONDAY_NOON, list[datetime]()
    for wait_s in waits_s:
        now += timedelta(seconds=wait_s)
        if may_begin(log, now):
            log = with_test(log, now, chance)
            begun.append(now)
    for before, after in itertools.pairwise(begun):
        assert (after - before).total_seconds() >= LEAST_GAP_S
    for first, fifth in zip(begun, begun[4:], strict=False):
        assert fifth - first >= timedelta(days=1)


@given(st.integers(0, 2**32), st.floats(-4e8, 4e8))
def test_a_clock_that_is_set_buys_no_test_and_stops_none_for_longer_than_a_gap(seed: int, step_s: float) -> None:
    chance = random.Random(seed)
    log = with_test(MlabLog(), MONDAY_NOON, chance)
    now = MONDAY_NOON + timedelta(seconds=step_s)
    after = set_right(log, now)
    if step_s < LEAST_GAP_S:
        assert not may_begin(after, now)
    assert may_begin(after, now + timedelta(seconds=LONGEST_GAP_S + 1))


def test_without_capacity_it_backs_off_by_m_labs_table_and_further_where_asked() -> None:
    chance, log, waits_s = random.Random(2), MlabLog(), []
    for _ in range(7):
        log = with_refusal(log, MONDAY_NOON, chance)
        assert log.next_at is not None
        waits_s.append((log.next_at - MONDAY_NOON).total_seconds())
    assert waits_s == [pytest.approx(wait_s, rel=0.25) for wait_s in (60, 120, 240, 480, 960, 960, 960)]
    asked = with_refusal(MlabLog(), MONDAY_NOON, chance, asked_s=7_200.0)
    assert asked.next_at == MONDAY_NOON + timedelta(hours=2)
    assert with_test(asked, MONDAY_NOON, chance).refused_count == 0


def test_what_is_told_to_m_lab_names_the_program_and_nothing_else() -> None:
    asked = urlsplit(locate_url(LOCATE))
    assert {name for name, _ in parse_qsl(asked.query)} == {"client_name", "client_version"}
    assert DEVICE_ID not in asked.query


@pytest.mark.parametrize(
    ("target", "expected"),
    [(LOCATE, True), ("http://127.0.0.1:80/v2/nearest/ndt/ndt7", True), ("https://speed.example/", False),
     ("wss://measure.example", False), ("ws://measure.example/v2/", False)],
)  # fmt: skip
def test_which_targets_are_locate(target: str, *, expected: bool) -> None:
    assert is_locate(target) is expected


@pytest.mark.parametrize(
    ("status", "body", "outcome", "failure"),
    [
        (204, b"", LocateOutcome.NO_CAPACITY, None),
        (429, b"too many", LocateOutcome.NO_CAPACITY, None),
        (500, b"", LocateOutcome.NO_CAPACITY, None),
        (503, b"{}", LocateOutcome.NO_CAPACITY, None),
        (200, b'{"results": []}', LocateOutcome.NO_CAPACITY, None),
        (200, b'{"results": [{"urls": {"ws:///ndt/v7/download": "ws://a"}}]}', LocateOutcome.NO_CAPACITY, None),
        (200, b"<html>log in</html>", LocateOutcome.FAILED, FailureKind.PROTOCOL_ERROR),
        (200, b'{"results": 3}', LocateOutcome.FAILED, FailureKind.PROTOCOL_ERROR),
        (404, b"", LocateOutcome.FAILED, FailureKind.HANDSHAKE_REFUSED),
        (302, b"", LocateOutcome.FAILED, FailureKind.HANDSHAKE_REFUSED),
    ],
)
def test_what_locate_answers(status: int, body: bytes, outcome: LocateOutcome, failure: FailureKind | None) -> None:
    found = read_answer(status, body)
    assert (found.outcome, found.failure, found.address) == (outcome, failure, "")


def test_a_client_that_is_always_on_tests_three_or_four_times_a_day_and_never_five() -> None:
    chance, log, now, begun = random.Random(6), MlabLog(), MONDAY_NOON, list[datetime]()
    while now < MONDAY_NOON + timedelta(days=100):
        now += timedelta(minutes=1)
        if may_begin(log, now):
            log = with_test(log, now, chance)
            begun.append(now)
    assert 300 <= len(begun) <= 400
    assert all(fifth - first >= timedelta(days=1) for first, fifth in zip(begun, begun[4:], strict=False))
