"""Tokens are renewed with overlap: one is always good, two at most are, and no lost answer shuts a device out."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count

import pytest

from mektep_collector.registry.change_chain import Action
from mektep_collector.registry.enrolment import Enrolled
from mektep_collector.registry.error import (
    DeviceUnknown,
    NothingLeftBehind,
    RequestReplayed,
    RequestStale,
    SenderRevoked,
    SenderUnknown,
)
from mektep_collector.registry.registry import TOKEN_OVERLAP, Registry
from mektep_collector.registry.senders import REMEMBERED_S
from mektep_wire import RENEWAL_FRESH_S, TokenRequest
from tests.support.newcomer import Newcomer
from tests.support.school_table import EXAMPLE, Place, registry_with
from tests.support.set_time import SetTime

HOUR = timedelta(hours=1)
NONCES = (number.to_bytes(16, "big") for number in count())


@pytest.fixture
def time() -> SetTime:
    return SetTime()


@pytest.fixture
def registry(place: Place, time: SetTime) -> Generator[Registry, None, None]:
    with registry_with(place, time, EXAMPLE) as opened:
        yield opened


@pytest.fixture
def device(registry: Registry, time: SetTime) -> Enrolled:
    return enrolled(registry, time)


def enrolled(registry: Registry, time: SetTime, seed: int = 1) -> Enrolled:
    """Return a device that has used its token."""
    (issued,) = registry.codes.issue("0007", 1, HOUR, time.now())
    made = registry.enrolment.enrol(Newcomer(seed).request(issued.code), time.now())
    use(registry, made.token)
    time.pass_s(60.0)
    return made


def asked(device: Enrolled, at: datetime, nonce: bytes | None = None) -> TokenRequest:
    return TokenRequest(device_id=device.device.id, asked_at=at, nonce=nonce or next(NONCES))


def renewed(registry: Registry, device: Enrolled, token: str, time: SetTime) -> str:
    return registry.tokens.renew(token, asked(device, time.now())).token


def use(registry: Registry, token: str) -> None:
    registry.senders.authenticate(token)
    registry.senders.write_seen()


def good(registry: Registry, time: SetTime, *tokens: str) -> list[bool]:
    """Tell of each token whether it lets in, once nobody remembers what was."""
    time.pass_s(REMEMBERED_S)
    found = []
    for token in tokens:
        try:
            registry.senders.authenticate(token)
            found.append(True)
        except SenderUnknown:
            found.append(False)
    return found


def test_the_token_that_asked_is_good_until_the_new_one_is_used_however_long_that_is(
    registry: Registry, device: Enrolled, time: SetTime
) -> None:
    new = renewed(registry, device, device.token, time)
    time.pass_s(400 * 86_400.0)
    assert good(registry, time, device.token) == [True]
    use(registry, new)
    time.pass_s(TOKEN_OVERLAP.total_seconds() - 2 * REMEMBERED_S)
    assert good(registry, time, device.token, new) == [True, True]
    assert good(registry, time, device.token, new) == [False, True]


def test_a_device_whose_answers_are_lost_asks_again_as_often_as_it_likes(
    registry: Registry, device: Enrolled, time: SetTime
) -> None:
    lost = []
    for _ in range(4):
        lost.append(renewed(registry, device, device.token, time))
        time.pass_s(3_600.0)
    new = renewed(registry, device, device.token, time)
    assert good(registry, time, *lost, device.token, new) == [False] * 4 + [True, True]


def test_two_tokens_at_most_are_good_and_the_one_that_asked_is_one_of_them(
    registry: Registry, device: Enrolled, time: SetTime
) -> None:
    given, current = [device.token], device.token
    for _ in range(4):
        current = renewed(registry, device, current, time)
        given.append(current)
        registry.senders.authenticate(current)
        assert good(registry, time, *given) == [False] * (len(given) - 2) + [True, True]


def test_a_device_that_falls_back_within_the_overlap_is_given_another(
    registry: Registry, device: Enrolled, time: SetTime
) -> None:
    lost = renewed(registry, device, device.token, time)
    use(registry, lost)
    new = renewed(registry, device, device.token, time)
    assert good(registry, time, device.token, lost, new) == [True, False, True]
    use(registry, new)
    time.pass_s(TOKEN_OVERLAP.total_seconds())
    assert good(registry, time, device.token, new) == [False, True]


def test_the_same_request_a_second_time_gives_nothing_and_ends_nothing(
    registry: Registry, device: Enrolled, time: SetTime
) -> None:
    request = asked(device, time.now())
    new = registry.tokens.renew(device.token, request).token
    for _ in range(3):
        with pytest.raises(RequestReplayed):
            registry.tokens.renew(device.token, request)
    with pytest.raises(RequestReplayed):
        registry.tokens.renew(new, request)
    assert good(registry, time, device.token, new) == [True, True]


@pytest.mark.parametrize("off_s", [-RENEWAL_FRESH_S - 1, RENEWAL_FRESH_S + 1])
def test_a_request_of_another_hour_gives_nothing(
    registry: Registry, device: Enrolled, time: SetTime, off_s: float
) -> None:
    with pytest.raises(RequestStale):
        registry.tokens.renew(device.token, asked(device, time.now() + timedelta(seconds=off_s)))
    fresh = asked(device, time.now() + timedelta(seconds=off_s * 0.99))
    assert good(registry, time, registry.tokens.renew(device.token, fresh).token) == [True]


def test_an_ended_token_and_another_devices_renew_nothing(registry: Registry, device: Enrolled, time: SetTime) -> None:
    lost = renewed(registry, device, device.token, time)
    new = renewed(registry, device, device.token, time)
    other = enrolled(registry, time, seed=2)
    changed = new[:-7] + ("0" if new[-7] != "0" else "1") + new[-6:]
    for token in (lost, other.token, changed, "mkd_x", ""):
        with pytest.raises(SenderUnknown):
            registry.tokens.renew(token, asked(device, time.now()))


def test_a_revoked_device_is_given_none(registry: Registry, device: Enrolled, time: SetTime) -> None:
    registry.devices.revoke(device.device.id)
    with pytest.raises(SenderRevoked):
        renewed(registry, device, device.token, time)


def test_what_is_refused_leaves_no_trace_in_the_log(registry: Registry, device: Enrolled, time: SetTime) -> None:
    before = registry.changes.newest(1)
    with pytest.raises(SenderUnknown):
        registry.tokens.renew("mkd_x", asked(device, time.now()))
    assert registry.changes.newest(1) == before


def test_renewals_and_ends_are_in_the_log_of_changes(registry: Registry, device: Enrolled, time: SetTime) -> None:
    new = renewed(registry, device, device.token, time)
    use(registry, new)
    named = f"device {device.device.id}"
    assert [(one.action, one.actor, one.object) for one in registry.changes.newest(2)] == [
        (Action.TOKENS_ENDED, named, named),
        (Action.TOKEN_RENEWED, named, named),
    ]
    use(registry, new)
    assert registry.changes.newest(1)[0].action == Action.TOKENS_ENDED
    assert registry.changes.verify().fault is None


def test_of_many_requests_at_once_two_tokens_stay(registry: Registry, device: Enrolled, time: SetTime) -> None:
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda _: renewed(registry, device, device.token, time), range(8)))
    assert sorted(good(registry, time, *given)) == [False] * 7 + [True]
    assert good(registry, time, device.token) == [True]


def test_a_token_is_newer_than_what_it_follows_whatever_the_clocks_say(
    registry: Registry, device: Enrolled, time: SetTime
) -> None:
    asked_at = registry.tokens.ask_renewal(device.device.id)
    time.set_wall(time.now() - timedelta(days=3))
    between = registry.tokens.renew(device.token, asked(device, time.now()))
    assert between.made_at >= asked_at
    time.set_wall(time.now() - timedelta(days=3))
    grant = registry.tokens.renew(between.token, asked(device, time.now()))
    assert grant.made_at > between.made_at
    use(registry, grant.token)
    time.pass_s(TOKEN_OVERLAP.total_seconds())
    assert good(registry, time, between.token, grant.token) == [False, True]


def test_the_operator_asks_one_device_or_all(registry: Registry, device: Enrolled, time: SetTime) -> None:
    revoked = enrolled(registry, time, seed=2)
    registry.devices.revoke(revoked.device.id)
    asked_at = registry.tokens.ask_renewal(device.device.id, "operator")
    assert [one.renewal_asked_at for one in registry.devices.all()] == [asked_at, None]
    time.pass_s(REMEMBERED_S)
    assert registry.senders.authenticate(device.token).renewal_asked_at == asked_at
    assert registry.tokens.ask_renewal_of_all("operator") == 1
    assert [one.renewal_asked_at for one in registry.devices.all()] == [time.now(), None]
    assert [(one.action, one.actor) for one in registry.changes.newest(2)] == [(Action.RENEWAL_ASKED, "operator")] * 2
    with pytest.raises(DeviceUnknown):
        registry.tokens.ask_renewal("nobody")


def test_a_leaked_token_ends_at_once_and_the_device_goes_on(
    registry: Registry, device: Enrolled, time: SetTime
) -> None:
    with pytest.raises(NothingLeftBehind):
        registry.tokens.end_left_behind(device.device.id)
    new = renewed(registry, device, device.token, time)
    with pytest.raises(NothingLeftBehind, match="renew-token"):
        registry.tokens.end_left_behind(device.device.id)
    use(registry, new)
    assert registry.tokens.end_left_behind(device.device.id, "operator") == 1
    assert good(registry, time, device.token, new) == [False, True]
    assert registry.changes.newest(1)[0].actor == "operator"
    with pytest.raises(DeviceUnknown):
        registry.tokens.end_left_behind("nobody")


def test_when_the_token_in_use_was_made_is_told(registry: Registry, device: Enrolled, time: SetTime) -> None:
    first = registry.tokens.in_use()[device.device.id]
    grant = registry.tokens.renew(device.token, asked(device, time.now()))
    assert registry.tokens.in_use() == {device.device.id: first}
    use(registry, grant.token)
    assert registry.tokens.in_use() == {device.device.id: grant.made_at}


@pytest.mark.peer
@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_another_collector_with_the_same_register_renews_as_well(
    registry: Registry, device: Enrolled, time: SetTime, place: Place
) -> None:
    with registry_with(Place(place.folder, place.url), time) as other:
        new = renewed(other, device, device.token, time)
        use(other, new)
        time.pass_s(TOKEN_OVERLAP.total_seconds())
        assert good(registry, time, device.token, new) == [False, True]
