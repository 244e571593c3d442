from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from mektep_collector.registry.codes import CODE_ATTEMPTS_COUNT
from mektep_collector.registry.enrolment import Enrolled
from mektep_collector.registry.error import (
    CodeExpired,
    CodeSpent,
    CodeUnknown,
    DeviceUnknown,
    EnrolledRevoked,
    EnrolmentError,
    OriginsMixed,
    ProofWrong,
    SchoolUnknown,
    SenderRevoked,
    SenderUnknown,
)
from mektep_collector.registry.records import DeviceStatus
from mektep_collector.registry.registry import Registry
from mektep_collector.registry.senders import REMEMBERED_S
from mektep_wire import Origin
from tests.support.newcomer import Newcomer
from tests.support.school_table import EXAMPLE, Place, registry_with
from tests.support.set_time import SetTime

THREE_DAYS = timedelta(hours=72)


@pytest.fixture
def time() -> SetTime:
    return SetTime()


@pytest.fixture
def registry(place: Place, time: SetTime) -> Generator[Registry, None, None]:
    with registry_with(place, time, EXAMPLE) as opened:
        yield opened


def new_code(registry: Registry, time: SetTime) -> str:
    (issued,) = registry.codes.issue("0007", 1, THREE_DAYS, time.now())
    return issued.code


def test_a_code_makes_a_computer_a_device_of_its_school(registry: Registry, time: SetTime) -> None:
    enrolled = registry.enrolment.enrol(Newcomer().request(new_code(registry, time)), time.now())
    assert enrolled.device.school_id == "0007"
    assert enrolled.device.public_key == Newcomer().public_key
    assert registry.senders.authenticate(enrolled.token) == enrolled.device
    assert registry.devices.of_school("0007") == [enrolled.device]
    assert registry.devices.get(enrolled.device.id) == enrolled.device


@pytest.mark.parametrize(
    ("first", "second"), [(Origin.MEASURED, Origin.SIMULATED), (Origin.SIMULATED, Origin.MEASURED)]
)
def test_a_school_has_computers_that_measure_or_simulated_ones_and_never_both(
    registry: Registry, time: SetTime, first: Origin, second: Origin
) -> None:
    for _ in range(2):
        registry.codes.issue("0007", 1, THREE_DAYS, time.now(), origin=first)
    with pytest.raises(OriginsMixed, match=f"whose readings are {first.value}, so it takes none for {second.value}"):
        registry.codes.issue("0007", 1, THREE_DAYS, time.now(), origin=second)


def test_the_same_key_again_is_the_same_device_with_a_new_token(registry: Registry, time: SetTime) -> None:
    request = Newcomer().request(new_code(registry, time))
    first = registry.enrolment.enrol(request, time.now())
    time.pass_s(100 * 3_600)
    second = registry.enrolment.enrol(request, time.now())
    assert second.device.id == first.device.id
    assert second.token != first.token
    assert len(registry.devices.all()) == 1


def test_two_tokens_are_valid_and_a_third_ends_the_first(registry: Registry, time: SetTime) -> None:
    request = Newcomer().request(new_code(registry, time))
    tokens = []
    for _ in range(3):
        tokens.append(registry.enrolment.enrol(request, time.now()).token)
        time.pass_s(1.0)
    with pytest.raises(SenderUnknown, match="replaced"):
        registry.senders.authenticate(tokens[0])
    assert registry.senders.authenticate(tokens[1]) == registry.senders.authenticate(tokens[2])


def test_a_code_is_good_for_one_computer(registry: Registry, time: SetTime) -> None:
    code = new_code(registry, time)
    registry.enrolment.enrol(Newcomer(1).request(code), time.now())
    with pytest.raises(CodeSpent):
        registry.enrolment.enrol(Newcomer(2).request(code), time.now())
    assert len(registry.devices.all()) == 1


def test_of_many_computers_at_once_one_gets_in(registry: Registry, time: SetTime) -> None:
    code = new_code(registry, time)

    def attempt(seed: int) -> Enrolled | EnrolmentError:
        try:
            return registry.enrolment.enrol(Newcomer(seed).request(code), time.now())
        except EnrolmentError as error:
            return error

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(attempt, range(1, 9)))
    assert [type(one) for one in results].count(Enrolled) == 1
    assert {type(one) for one in results} == {Enrolled, CodeSpent}
    assert len(registry.devices.all()) == 1


def test_a_code_ends_with_its_time(registry: Registry, time: SetTime) -> None:
    code = new_code(registry, time)
    time.pass_s(THREE_DAYS.total_seconds() - 1)
    spare = new_code(registry, time)
    time.pass_s(1)
    with pytest.raises(CodeExpired, match="2026-11-26 07:00"):
        registry.enrolment.enrol(Newcomer().request(code), time.now())
    registry.enrolment.enrol(Newcomer().request(spare), time.now())


def test_wrong_secrets_are_counted_until_the_code_is_dead(registry: Registry, time: SetTime) -> None:
    code = new_code(registry, time)
    wrong = code[:-1] + ("a" if code[-1] != "a" else "b")
    for _ in range(CODE_ATTEMPTS_COUNT):
        with pytest.raises(CodeUnknown):
            registry.enrolment.enrol(Newcomer().request(wrong), time.now())
    with pytest.raises(CodeUnknown):
        registry.enrolment.enrol(Newcomer().request(code), time.now())
    assert registry.devices.all() == []


def test_an_unknown_code_says_no_more_than_that(registry: Registry, time: SetTime) -> None:
    with pytest.raises(CodeUnknown):
        registry.enrolment.enrol(Newcomer().request("aaaaaa.aaaaaaaaaaaaaaaa"), time.now())


def test_who_does_not_hold_the_key_does_not_get_in(registry: Registry, time: SetTime) -> None:
    code, other = new_code(registry, time), new_code(registry, time)
    with pytest.raises(ProofWrong):
        registry.enrolment.enrol(Newcomer().request(code, proof_code=other), time.now())
    registry.enrolment.enrol(Newcomer().request(code), time.now())


def test_a_key_that_is_no_point_of_the_curve_is_a_wrong_proof(registry: Registry, time: SetTime) -> None:
    sound = Newcomer().request(new_code(registry, time))
    spoiled = type(sound)(
        code=sound.code, public_key=b"\xff" * 32, proof=sound.proof, agent_version="0", platform=sound.platform
    )
    with pytest.raises(ProofWrong):
        registry.enrolment.enrol(spoiled, time.now())


def test_a_revoked_device_can_send_no_more_and_does_not_come_back_by_its_code(
    registry: Registry, time: SetTime
) -> None:
    request = Newcomer().request(new_code(registry, time))
    enrolled = registry.enrolment.enrol(request, time.now())
    registry.senders.authenticate(enrolled.token)
    for _ in range(2):
        assert registry.devices.revoke(enrolled.device.id).status is DeviceStatus.REVOKED
    time.pass_s(REMEMBERED_S)
    with pytest.raises(SenderRevoked):
        registry.senders.authenticate(enrolled.token)
    with pytest.raises(EnrolledRevoked):
        registry.enrolment.enrol(request, time.now())
    anew = registry.enrolment.enrol(Newcomer().request(new_code(registry, time)), time.now())
    assert anew.device.id != enrolled.device.id


def test_a_known_token_is_answered_from_memory_for_half_a_minute(registry: Registry, time: SetTime) -> None:
    enrolled = registry.enrolment.enrol(Newcomer().request(new_code(registry, time)), time.now())
    registry.senders.authenticate(enrolled.token)
    registry.devices.revoke(enrolled.device.id)
    time.pass_s(REMEMBERED_S - 0.001)
    assert registry.senders.authenticate(enrolled.token).id == enrolled.device.id


@pytest.mark.parametrize("token", ["", "mkd_x", "Bearer", "mkd_" + "a" * 70, "\udcff"])
def test_what_is_no_token_opens_nothing(registry: Registry, token: str) -> None:
    with pytest.raises(SenderUnknown):
        registry.senders.authenticate(token)


def test_a_token_of_another_collector_opens_nothing(registry: Registry, time: SetTime, tmp_path: Path) -> None:
    with registry_with(tmp_path / "other", time, EXAMPLE) as other:
        foreign = other.enrolment.enrol(Newcomer().request(new_code(other, time)), time.now()).token
    with pytest.raises(SenderUnknown):
        registry.senders.authenticate(foreign)


def test_who_came_is_written_down_when_asked_to(registry: Registry, time: SetTime) -> None:
    enrolled = registry.enrolment.enrol(Newcomer().request(new_code(registry, time)), time.now())
    registry.senders.write_seen()
    assert registry.devices.all()[0].last_seen_at is None
    registry.senders.authenticate(enrolled.token)
    time.pass_s(5.0)
    registry.senders.write_seen()
    seen_at = time.now()
    assert registry.devices.all()[0].last_seen_at == seen_at
    registry.devices.note_seen({enrolled.device.id: seen_at - timedelta(days=1)})
    assert registry.devices.all()[0].last_seen_at == seen_at


def test_only_what_is_there_can_be_given_codes_or_revoked(registry: Registry, time: SetTime) -> None:
    with pytest.raises(SchoolUnknown, match="schools list"):
        registry.codes.issue("nobody", 1, THREE_DAYS, time.now())
    with pytest.raises(DeviceUnknown):
        registry.devices.revoke("nobody")


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_neither_codes_nor_tokens_lie_in_the_database(registry: Registry, time: SetTime, tmp_path: Path) -> None:
    code = new_code(registry, time)
    token = registry.enrolment.enrol(Newcomer().request(code), time.now()).token
    kept = (tmp_path / "registry.sqlite").read_bytes()
    assert b"0007" in kept
    assert code.partition(".")[2].encode() not in kept
    assert token.rpartition("_")[2][:43].encode() not in kept
