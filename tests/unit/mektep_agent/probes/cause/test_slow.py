"""From what was seen around a slow test to its cause: from the inside out, nobody blamed behind what was not seen."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.probes.cause.finding import Finding
from mektep_agent.probes.cause.verdict import SLOW_RATIO, cause_of, is_slow
from mektep_wire import (
    Access,
    Cause,
    CauseReason,
    Conditions,
    Diagnosis,
    Evidence,
    ExpectedFrom,
    Seen,
    Trips,
    Vpn,
    decode,
    encode,
)

WIRED, RADIO = Conditions(access=Access.WIRED), Conditions(access=Access.WIFI)


def trips(median_ms: float, longest_ms: float | None = None, *, asked: int = 10, answered: int = 10) -> Trips:
    return Trips(
        asked_count=asked, answered_count=answered, median_ms=median_ms, second_longest_ms=longest_ms or median_ms
    )


GOOD_GATEWAY: dict[str, Any] = {"gateway_idle": trips(2.0), "gateway_loaded": trips(2.0, 3.0)}
FULL_TARGET: dict[str, Any] = {"target_idle": trips(30.0), "target_loaded": trips(60.0, 110.0)}
QUIET_TARGET: dict[str, Any] = {"target_idle": trips(30.0), "target_loaded": trips(30.0, 32.0)}


def found(
    conditions: Conditions = WIRED,
    *,
    value_mbps: float = 10.0,
    resent_ratio: float | None = None,
    expected_mbps: float = 50.0,
    **seen: Any,  # noqa: ANN401 (any field of Evidence)
) -> Diagnosis:
    evidence = Evidence(expected_mbps=expected_mbps, expected_from=ExpectedFrom.CONTRACT)
    return cause_of(
        Finding(
            evidence=msgspec.structs.replace(evidence, **seen),
            conditions=conditions,
            value_mbps=value_mbps,
            retransmission_ratio=resent_ratio,
        )
    )


def reason(*args: Conditions, **seen: Any) -> CauseReason:  # noqa: ANN401 (as `found`)
    return found(*args, **seen).reason


@pytest.mark.parametrize(("value_mbps", "slow"), [(39.9, True), (40.0, False), (60.0, False)])
def test_slow_is_below_four_fifths_of_what_was_expected(value_mbps: float, slow: bool) -> None:
    assert SLOW_RATIO == 0.8
    assert is_slow(value_mbps, 50.0) is slow


def test_a_queue_before_the_gateway_is_the_schools() -> None:
    seen: dict[str, Any] = {"gateway_idle": trips(2.0), "gateway_loaded": trips(20.0, 80.0), **FULL_TARGET}
    assert found(WIRED, **seen).cause is Cause.LAN
    assert found(RADIO, **seen).cause is Cause.WIFI
    assert reason(WIRED, **seen) is CauseReason.FULL_BEFORE_GATEWAY


def test_a_small_part_of_the_queue_at_the_gateway_blames_nobody_there() -> None:
    seen: dict[str, Any] = {"gateway_idle": trips(2.0), "gateway_loaded": trips(5.0, 14.0), **FULL_TARGET}
    assert reason(hops_idle=[trips(20.0)], hops_loaded=[trips(50.0, 95.0)], **seen) is CauseReason.FULL_BEHIND_GATEWAY


def test_a_queue_behind_the_gateway_is_the_providers() -> None:
    told = found(hops_idle=[trips(20.0)], hops_loaded=[trips(50.0, 95.0)], **GOOD_GATEWAY, **FULL_TARGET)
    assert (told.cause, told.reason) == (Cause.PROVIDER, CauseReason.FULL_BEHIND_GATEWAY)


def test_a_queue_that_only_the_target_shows_is_the_targets() -> None:
    told = found(hops_idle=[trips(20.0)], hops_loaded=[trips(20.0, 21.0)], **GOOD_GATEWAY, **FULL_TARGET)
    assert (told.cause, told.reason) == (Cause.TARGET, CauseReason.FULL_NEAR_TARGET)


def test_a_router_that_is_slow_to_answer_for_itself_is_no_queue() -> None:
    slow_to_answer: dict[str, Any] = {
        "hops_idle": [trips(20.0), trips(22.0)],
        "hops_loaded": [trips(90.0, 150.0), trips(22.0, 23.0)],
    }
    assert reason(**slow_to_answer, **GOOD_GATEWAY, **QUIET_TARGET) is CauseReason.TARGET_SLOW


def test_where_no_router_answers_a_queue_beyond_is_nobodys() -> None:
    told = found(**GOOD_GATEWAY, **FULL_TARGET)
    assert (told.cause, told.reason) == (Cause.UNKNOWN, CauseReason.NOT_SHOWN)


def test_where_nothing_was_full_or_lost_the_target_gave_no_more() -> None:
    told = found(**GOOD_GATEWAY, **QUIET_TARGET)
    assert (told.cause, told.reason) == (Cause.TARGET, CauseReason.TARGET_SLOW)


def test_losses_without_a_queue_are_nobodys() -> None:
    told = found(resent_ratio=0.02, **GOOD_GATEWAY, **QUIET_TARGET)
    assert (told.cause, told.reason) == (Cause.UNKNOWN, CauseReason.LOST_BEHIND_GATEWAY)


def test_others_that_are_silent_too_make_it_the_providers() -> None:
    told = found(others=Seen.SILENT, others_asked_count=2, **GOOD_GATEWAY, **QUIET_TARGET)
    assert (told.cause, told.reason) == (Cause.PROVIDER, CauseReason.OTHERS_SUFFER_TOO)


@pytest.mark.parametrize("loaded", [None, Trips(asked_count=20, answered_count=0), trips(2.0, asked=4, answered=4)])
def test_nobody_behind_a_gateway_that_was_not_seen_is_blamed(loaded: Trips | None) -> None:
    told = found(gateway_loaded=loaded, hops_idle=[trips(20.0)], hops_loaded=[trips(50.0, 95.0)], **FULL_TARGET)
    assert told.cause is Cause.UNKNOWN


def test_a_lossy_way_to_the_gateway_is_the_schools() -> None:
    assert reason(gateway_loaded=trips(2.0, asked=20, answered=16)) is CauseReason.GATEWAY_LOSES
    assert reason(gateway_loaded=trips(2.0, asked=20, answered=19), **QUIET_TARGET) is not CauseReason.GATEWAY_LOSES


def test_a_line_in_use_blames_nobody() -> None:
    waited = Conditions(access=Access.WIRED, deferral_count=2)
    told = found(waited, hops_idle=[trips(20.0)], hops_loaded=[trips(50.0, 95.0)], **GOOD_GATEWAY, **FULL_TARGET)
    assert (told.cause, told.reason) == (Cause.UNKNOWN, CauseReason.LINE_IN_USE)


def test_a_port_that_is_set_too_low_is_the_schools_cable() -> None:
    port: dict[str, Any] = {"link_speed_mbps": 100.0, "expected_mbps": 300.0}
    assert found(value_mbps=94.0, **port).cause is Cause.LAN
    assert reason(value_mbps=94.0, **port) is CauseReason.PORT_SPEED
    assert reason(value_mbps=40.0, **port) is CauseReason.NOT_SHOWN


def test_a_radio_is_held_to_what_tcp_gets_of_its_rate() -> None:
    assert reason(RADIO, value_mbps=25.0, link_speed_mbps=54.0) is CauseReason.WIFI_RATE
    assert reason(RADIO, value_mbps=10.0, link_speed_mbps=54.0) is CauseReason.NOT_SHOWN


def test_a_weak_signal_counts_unless_the_way_to_the_gateway_was_good() -> None:
    assert reason(RADIO, wifi_signal_dbm=-80.0) is CauseReason.WIFI_WEAK
    assert reason(RADIO, wifi_signal_dbm=-80.0, **GOOD_GATEWAY, **QUIET_TARGET) is CauseReason.TARGET_SLOW
    assert reason(RADIO, wifi_signal_dbm=-60.0) is CauseReason.NOT_SHOWN


@pytest.mark.parametrize(
    ("conditions", "seen", "expected"),
    [
        (Conditions(cross_traffic_mbps=35.0), {}, CauseReason.OTHER_PROGRAMS),
        (Conditions(cross_traffic_mbps=4.0), {}, CauseReason.NOT_SHOWN),
        (Conditions(cpu_ratio=0.95), {}, CauseReason.PROCESSOR_BUSY),
        (Conditions(), {"processor_busy_ratio": 0.92}, CauseReason.PROCESSOR_BUSY),
        (Conditions(vpn=Vpn.PRESENT), {}, CauseReason.TUNNEL),
        (Conditions(), {"receiver_limited_ratio": 0.7}, CauseReason.WINDOW),
    ],
)
def test_this_computer_comes_first(conditions: Conditions, seen: dict[str, Any], expected: CauseReason) -> None:
    told = found(conditions, **seen)
    assert told.reason is expected
    assert (told.cause is Cause.THIS_COMPUTER) is (expected is not CauseReason.NOT_SHOWN)


def test_a_run_that_was_held_against_nothing_is_not_slow() -> None:
    with pytest.raises(ValueError, match="what was expected"):
        cause_of(Finding(evidence=Evidence(), value_mbps=3.0))


some_trips = st.none() | st.builds(
    trips, st.floats(0.1, 500.0), st.floats(500.0, 900.0), asked=st.just(20), answered=st.integers(1, 20)
)


@given(
    gateway_idle=some_trips,
    gateway_loaded=some_trips,
    target_idle=some_trips,
    target_loaded=some_trips,
    access=st.sampled_from(Access),
    others=st.none() | st.sampled_from(Seen),
)
def test_whatever_was_seen_there_is_a_cause_that_travels(
    gateway_idle: Trips | None,
    gateway_loaded: Trips | None,
    target_idle: Trips | None,
    target_loaded: Trips | None,
    access: Access,
    others: Seen | None,
) -> None:
    told = found(
        Conditions(access=access),
        gateway_idle=gateway_idle,
        gateway_loaded=gateway_loaded,
        target_idle=target_idle,
        target_loaded=target_loaded,
        others=others,
    )
    assert decode(Diagnosis, encode(told)) == told
    if gateway_loaded is None:
        assert told.cause not in {Cause.PROVIDER, Cause.TARGET}
