from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.api.attempt_limit import AttemptLimit
from tests.support.set_time import SetTime


def test_a_burst_goes_through_then_one_each_interval() -> None:
    time = SetTime()
    limit = AttemptLimit(3, 10.0, time)
    assert [limit.wait_s("a") for _ in range(4)] == [0.0, 0.0, 0.0, 10.0]
    time.pass_s(4.0)
    assert limit.wait_s("a") == 6.0
    assert limit.wait_s("b") == 0.0, "another key has tokens of its own"
    time.pass_s(6.0)
    assert [limit.wait_s("a") for _ in range(2)] == [0.0, 10.0]


@given(st.lists(st.floats(0.0, 30.0), max_size=60))
def test_no_rhythm_gets_more_through_than_burst_and_time_allow(pauses_s: list[float]) -> None:
    time = SetTime()
    began_s = time.monotonic_s()
    limit = AttemptLimit(5, 10.0, time)
    through = 0
    for pause_s in pauses_s:
        time.pass_s(pause_s)
        through += limit.wait_s("a") == 0.0
    assert through <= 5 + (time.monotonic_s() - began_s) / 10.0 + 1e-6


def test_memory_is_bounded_however_many_keys_come() -> None:
    time = SetTime()
    limit = AttemptLimit(1, 10.0, time)
    for number in range(30_000):
        assert limit.wait_s(str(number)) == 0.0
    assert limit.wait_s("29999") > 0.0
    assert limit.wait_s("0") == 0.0, "the key that tried longest ago was forgotten"


def test_a_long_pause_gives_no_more_than_a_burst() -> None:
    time = SetTime()
    limit = AttemptLimit(3, 10.0, time)
    limit.wait_s("a")
    time.pass_s(86_400.0)
    assert [limit.wait_s("a") for _ in range(4)] == [0.0, 0.0, 0.0, 10.0]


def test_who_has_shown_who_they_are_begins_anew() -> None:
    limit = AttemptLimit(2, 10.0, SetTime())
    assert [limit.wait_s("a") for _ in range(3)] == [0.0, 0.0, 10.0]
    limit.forget("a")
    assert [limit.wait_s("a") for _ in range(3)] == [0.0, 0.0, 10.0]
