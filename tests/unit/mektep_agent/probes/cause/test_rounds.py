"""Rounds of packets become counts, a median, and the second longest."""

from mektep_agent.probes.cause.processor import ProcessorLook, busy_ratios
from mektep_agent.probes.cause.rounds import Round, between, trips
from mektep_wire import Trips


def test_the_second_longest_is_not_made_by_one_packet() -> None:
    assert trips([2.0, 90.0, 3.0, None, 4.0]) == Trips(
        asked_count=5, answered_count=4, median_ms=3.0, second_longest_ms=4.0
    )


def test_one_answer_is_its_own_second_longest() -> None:
    assert trips([None, 7.0]) == Trips(asked_count=2, answered_count=1, median_ms=7.0, second_longest_ms=7.0)


def test_silence_has_no_median_and_nothing_no_trips() -> None:
    assert trips([None]) == Trips(asked_count=1, answered_count=0)
    assert trips([]) is None


def test_only_what_was_sent_meanwhile_counts() -> None:
    rounds = [Round(0.9, 1.0), Round(1.0, 2.0), Round(2.0, 3.0), Round(2.1, 4.0)]
    found = between(rounds, 1.0, 2.0)
    assert found is not None
    assert found.asked_count == 2


def test_processors_are_told_together_and_by_the_busiest() -> None:
    looks = [ProcessorLook(1.0, (10.0, 20.0), (100.0, 100.0)), ProcessorLook(2.0, (11.0, 20.5), (101.0, 101.0))]
    assert busy_ratios(looks, 0.0, 3.0) == (0.75, 1.0)
    assert busy_ratios(looks, 1.5, 3.0) is None
