"""A platform that fails is told from a line that fails, and nobody is blamed where nothing was seen."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.platform import (
    NEAR,
    SLOW_AFTER_MS,
    Bearing,
    Health,
    Look,
    PlatformState,
    Sign,
    availability_of,
    judge,
)
from mektep_wire import FailureKind

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KUNDELIK, OTHER = "https://kundelik.kz/", "https://other.example/"


def look(
    failure: FailureKind | None = None, total_ms: float | None = None, target: str = KUNDELIK, minutes: float = 0.0
) -> Look:
    return Look(at=AT + timedelta(minutes=minutes), target=target, total_ms=total_ms, failure=failure)


def sign(health: Health, minutes: float = 0.0, bearing: Bearing = Bearing.LINE, lasts_minutes: float = 0.0) -> Sign:
    at = AT + timedelta(minutes=minutes)
    return Sign(at=at, until=at + timedelta(minutes=lasts_minutes), bearing=bearing, health=health)


TIMED_OUT = look(FailureKind.CONNECT_TIMEOUT)
UP, DOWN = Health.UP, Health.DOWN


def test_a_page_that_came_needs_no_witness_and_a_late_one_is_slow() -> None:
    assert judge(look(total_ms=SLOW_AFTER_MS), [], [sign(DOWN)]) is PlatformState.REACHABLE
    assert judge(look(total_ms=SLOW_AFTER_MS + 1), [], []) is PlatformState.SLOW
    assert judge(look(total_ms=900.0), [], [], slow_after_ms=800.0) is PlatformState.SLOW


@pytest.mark.parametrize(
    ("signs", "state"),
    [
        ([], PlatformState.UNKNOWN),
        ([sign(UP, -7)], PlatformState.PLATFORM_DOWN),
        ([sign(DOWN, -7)], PlatformState.INTERNET_DOWN),
        ([sign(UP, -14), sign(DOWN, 1)], PlatformState.INTERNET_DOWN),
        ([sign(DOWN, -14), sign(UP, 1)], PlatformState.PLATFORM_DOWN),
        ([sign(UP, -5), sign(DOWN, 5)], PlatformState.INTERNET_DOWN),
        ([sign(UP, -16), sign(DOWN, 16)], PlatformState.UNKNOWN),
        ([sign(DOWN, -60, lasts_minutes=90), sign(UP, 14)], PlatformState.INTERNET_DOWN),
        ([sign(DOWN, 0, Bearing.NAMES)], PlatformState.UNKNOWN),
    ],
    ids=[
        "nothing",
        "up",
        "down",
        "nearer down",
        "nearer up",
        "equally near",
        "too far",
        "within an outage",
        "names alone",
    ],
)
def test_the_nearest_sign_of_the_line_tells_whose_fault_it_was(signs: Sequence[Sign], state: PlatformState) -> None:
    assert judge(TIMED_OUT, [], signs) is state


def test_another_platform_that_is_reached_outweighs_a_measuring_server_that_is_not() -> None:
    assert judge(TIMED_OUT, [look(total_ms=200.0, target=OTHER)], [sign(DOWN)]) is PlatformState.PLATFORM_DOWN
    assert judge(TIMED_OUT, [look(total_ms=200.0, minutes=1)], [sign(DOWN)]) is PlatformState.INTERNET_DOWN, "itself"
    far = look(total_ms=200.0, target=OTHER, minutes=20)
    assert judge(TIMED_OUT, [far], [sign(DOWN)]) is PlatformState.INTERNET_DOWN


def test_another_platform_that_answers_with_an_error_was_reached_too() -> None:
    other = look(FailureKind.HTTP_SERVER_ERROR, target=OTHER)
    assert judge(TIMED_OUT, [other], []) is PlatformState.PLATFORM_DOWN


@pytest.mark.parametrize(
    "kind", [FailureKind.HTTP_SERVER_ERROR, FailureKind.HTTP_FORBIDDEN, FailureKind.HTTP_LEGALLY_BLOCKED]
)
def test_an_answer_of_the_platform_itself_is_its_own_whatever_else_is_seen(kind: FailureKind) -> None:
    assert judge(look(kind), [], [sign(DOWN)]) is PlatformState.PLATFORM_DOWN


@pytest.mark.parametrize("kind", [FailureKind.INTERRUPTED, FailureKind.ENGINE_UNAVAILABLE])
def test_a_test_that_was_cut_short_says_nothing(kind: FailureKind) -> None:
    assert judge(look(kind), [], [sign(UP)]) is PlatformState.UNKNOWN


def test_a_computer_without_a_network_blames_no_platform() -> None:
    assert judge(look(FailureKind.NO_INTERFACE), [], []) is PlatformState.INTERNET_DOWN


@pytest.mark.parametrize(
    ("signs", "state"),
    [
        ([sign(UP)], PlatformState.UNKNOWN),
        ([sign(UP), sign(UP, 3, Bearing.NAMES)], PlatformState.PLATFORM_DOWN),
        ([sign(UP), sign(DOWN, 3, Bearing.NAMES)], PlatformState.INTERNET_DOWN),
        ([sign(DOWN)], PlatformState.INTERNET_DOWN),
    ],
)
def test_a_name_that_is_not_resolved_is_judged_by_other_names(signs: Sequence[Sign], state: PlatformState) -> None:
    assert judge(look(FailureKind.DNS_TIMEOUT), [], signs) is state


def test_a_portal_before_all_platforms_is_the_networks_and_before_one_alone_nobodys() -> None:
    portal = look(FailureKind.CAPTIVE_PORTAL)
    other = look(FailureKind.CAPTIVE_PORTAL, target=OTHER)
    assert judge(portal, [other], [sign(UP)]) is PlatformState.INTERNET_DOWN
    assert judge(portal, [], [sign(UP)]) is PlatformState.UNKNOWN
    assert judge(portal, [look(total_ms=100.0, target=OTHER)], [sign(UP)]) is PlatformState.PLATFORM_DOWN


failed = st.builds(
    look,
    failure=st.sampled_from(FailureKind),
    target=st.sampled_from([KUNDELIK, OTHER]),
    minutes=st.floats(-40, 40),
)
signs = st.lists(
    st.builds(
        sign,
        health=st.sampled_from(Health),
        minutes=st.floats(-40, 40),
        bearing=st.sampled_from(Bearing),
        lasts_minutes=st.floats(0, 30),
    ),
    max_size=6,
)


@given(st.sampled_from(FailureKind), st.lists(failed, max_size=4), signs)
def test_a_failed_look_is_never_good_and_only_near_things_count(
    kind: FailureKind, others: Sequence[Look], around: Sequence[Sign]
) -> None:
    subject = look(kind)
    state = judge(subject, others, around)
    assert state not in {PlatformState.REACHABLE, PlatformState.SLOW}
    near_others = [other for other in others if abs(other.at - AT) <= NEAR]
    near_signs = [one for one in around if one.at - NEAR <= AT <= one.until + NEAR]
    assert judge(subject, near_others, near_signs) is state
    assert judge(subject, list(reversed(others)), list(reversed(around))) is state


def test_the_share_of_a_school_counts_its_line_and_the_platforms_own_does_not() -> None:
    found = availability_of(
        [PlatformState.REACHABLE] * 6
        + [PlatformState.SLOW] * 1
        + [PlatformState.PLATFORM_DOWN] * 1
        + [PlatformState.INTERNET_DOWN] * 2
        + [PlatformState.UNKNOWN] * 5
    )
    assert (found.usable_count, found.judged_count, found.unknown_count) == (7, 10, 5)
    assert found.ratio == 0.7
    assert found.platform_ratio == 7 / 8
    nothing = availability_of([PlatformState.UNKNOWN])
    assert nothing.ratio is None
    assert nothing.platform_ratio is None
    assert availability_of([PlatformState.INTERNET_DOWN]).platform_ratio is None
