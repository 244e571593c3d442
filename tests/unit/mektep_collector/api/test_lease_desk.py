"""One device of a school at a time has the line; schools behind the same NAT do not wait for each other."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.api.lease_desk import LeaseDesk
from mektep_wire import LeaseAnswer, LeaseEnd, LeaseState
from tests.support.agent_time import SetTime

OFFICE = "198.51.100.0/24"


class Desk:
    """A desk on a set clock."""

    def __init__(self) -> None:
        self.time = SetTime()
        self.desk = LeaseDesk(self.time, random.Random(1))

    def ask(self, device: str, school: str = "0007", network: str = OFFICE, for_s: float = 120.0) -> LeaseAnswer:
        return self.desk.ask(school, network, device, for_s)

    def end(self, device: str, answer: LeaseAnswer, end: LeaseEnd = LeaseEnd.MEASURED) -> None:
        assert answer.lease_id is not None
        self.desk.end("0007", OFFICE, answer.lease_id, device, end)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_second_device_of_a_school_waits_until_the_lease_ends(desk: Desk) -> None:
    assert desk.ask("a").state is LeaseState.GRANTED
    desk.time.pass_s(20.0)
    answer = desk.ask("b")
    assert (answer.state, answer.ends_after_s, answer.lease_id) == (LeaseState.OTHER_PROBER, 100.0, None)
    desk.time.pass_s(100.0)
    assert desk.ask("b").state is LeaseState.GRANTED


def test_a_lease_that_is_given_back_frees_the_line_and_says_that_it_was_measured(desk: Desk) -> None:
    desk.end("a", desk.ask("a"))
    desk.time.pass_s(30.0)
    answer = desk.ask("b")
    assert (answer.state, answer.measured_before_s) == (LeaseState.GRANTED, 30.0)


def test_a_test_that_was_not_made_is_none(desk: Desk) -> None:
    desk.end("a", desk.ask("a"), LeaseEnd.NOT_MEASURED)
    assert desk.ask("b").measured_before_s is None


def test_ones_own_test_is_not_anothers(desk: Desk) -> None:
    desk.end("a", desk.ask("a"))
    assert desk.ask("a").measured_before_s is None


def test_a_test_of_yesterday_is_forgotten(desk: Desk) -> None:
    desk.end("a", desk.ask("a"))
    desk.time.pass_s(86_400.0)
    assert desk.ask("b").measured_before_s is None


def test_who_has_the_line_and_asks_again_has_it_anew(desk: Desk) -> None:
    first = desk.ask("a")
    desk.time.pass_s(100.0)
    again = desk.ask("a")
    assert (again.state, again.ends_after_s) == (LeaseState.GRANTED, 120.0)
    desk.end("a", first)  # a lease that was replaced ends nothing
    assert desk.ask("b").state is LeaseState.OTHER_PROBER


def test_another_device_cannot_give_a_lease_back(desk: Desk) -> None:
    desk.end("b", desk.ask("a"))
    assert desk.ask("b").state is LeaseState.OTHER_PROBER


def test_another_school_behind_the_same_nat_and_another_line_of_the_school_are_free(desk: Desk) -> None:
    desk.ask("a")
    assert desk.ask("b", school="0008").state is LeaseState.GRANTED
    assert desk.ask("c", network="203.0.113.0/24").state is LeaseState.GRANTED


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["ask", "end", "wait"]), st.floats(0.1, 200)), max_size=60
    )
)
def test_two_devices_never_have_the_line_at_once(steps: list[tuple[str, str, float]]) -> None:
    desk = Desk()
    held: dict[str, tuple[LeaseAnswer, float]] = {}
    for device, action, seconds in steps:
        now_s = desk.time.monotonic_s()
        held = {who: one for who, one in held.items() if now_s < one[1]}
        if action == "ask":
            answer = desk.ask(device, for_s=seconds)
            assert (answer.state is LeaseState.GRANTED) is (held.keys() <= {device})
            if answer.state is LeaseState.GRANTED:
                held = {device: (answer, now_s + seconds)}
        elif action == "end" and device in held:
            desk.end(device, held.pop(device)[0])
        elif action == "wait":
            desk.time.pass_s(seconds)
        assert desk.desk.held_count() == len({who for who, one in held.items() if desk.time.monotonic_s() < one[1]})
