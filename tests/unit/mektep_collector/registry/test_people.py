"""People and their sessions, on both databases."""

from collections.abc import Callable, Generator
from datetime import timedelta

import pyotp
import pytest

from mektep_collector.access.role import Role
from mektep_collector.access.scope import WHOLE_COUNTRY, Scope
from mektep_collector.registry.error import PasswordRefused, PersonExists, PersonRefused, PersonUnknown
from mektep_collector.registry.people import People, Person, PersonStatus
from mektep_collector.registry.registry import Registry
from tests.support.school_table import Place, registry_with
from tests.support.set_time import SetTime

LOGIN, PASSWORD = "aigerim@edu.example", "river lamp seven onion"
OTHER_PASSWORD = "cloud bridge eleven fox"
SOUTH = Scope(frozenset({"KZ-61", "KZ-79"}))
IDLE, LIFETIME = timedelta(minutes=30), timedelta(hours=12)


@pytest.fixture
def time() -> SetTime:
    return SetTime()


@pytest.fixture
def registry(place: Place, time: SetTime) -> Generator[Registry, None, None]:
    with registry_with(place, time) as opened:
        opened.people.add(LOGIN, Role.ANALYST, SOUTH, PASSWORD, "the operator")
        yield opened


def _code(address: str, time: SetTime) -> str:
    totp = pyotp.parse_uri(address)
    assert isinstance(totp, pyotp.TOTP)
    return totp.at(time.now())


def test_who_was_added_is_known_by_the_password(registry: Registry, time: SetTime) -> None:
    (person,) = registry.people.all()
    assert person == Person(
        login=LOGIN,
        role=Role.ANALYST,
        scope=SOUTH,
        status=PersonStatus.ACTIVE,
        has_second_factor=False,
        added_at=time.now(),
    )
    assert registry.people.recognise(f" {LOGIN.upper()} ", PASSWORD, "") == person


@pytest.mark.parametrize(
    ("login", "password"), [(LOGIN, PASSWORD + "x"), (LOGIN, ""), ("nobody", PASSWORD), ("", ""), ("' OR 1=1 --", "x")]
)
def test_nobody_else_is_known(registry: Registry, login: str, password: str) -> None:
    assert registry.people.recognise(login, password, "") is None


@pytest.mark.parametrize(
    "password", ["short", "passwordpassword", "aaaaaaaaaaaaaaaa", "qwertyuiop[]", "aigerim@edu.example", "x" * 257]
)
def test_a_password_that_is_guessed_soon_is_refused_with_what_to_do(registry: Registry, password: str) -> None:
    with pytest.raises(PasswordRefused, match=r"take|enough"):
        registry.people.set_password(LOGIN, password)
    assert registry.people.recognise(LOGIN, PASSWORD, "") is not None


@pytest.mark.parametrize(
    ("login", "role", "scope", "words"),
    [
        ("Ә", Role.VIEWER, WHOLE_COUNTRY, "cannot be a login"),
        ("a", Role.VIEWER, WHOLE_COUNTRY, "cannot be a login"),
        ("a b", Role.VIEWER, WHOLE_COUNTRY, "cannot be a login"),
        ("new", Role.VIEWER, Scope(frozenset({"KZ-00"})), "no region has the code KZ-00"),
        ("new", Role.VIEWER, Scope(frozenset()), "name one at least"),
        ("new", Role.ADMINISTRATOR, SOUTH, "for the whole country"),
    ],
)
def test_a_person_that_cannot_be_is_refused(
    registry: Registry, login: str, role: Role, scope: Scope, words: str
) -> None:
    with pytest.raises(PersonRefused, match=words):
        registry.people.add(login, role, scope, PASSWORD)
    assert len(registry.people.all()) == 1


def test_a_login_is_given_once(registry: Registry) -> None:
    with pytest.raises(PersonExists, match="is there already"):
        registry.people.add(LOGIN.upper(), Role.VIEWER, WHOLE_COUNTRY, OTHER_PASSWORD)
    with pytest.raises(PersonUnknown, match="nobody has the login"):
        registry.people.disable("nobody")


def test_a_new_password_takes_the_place_of_the_old_one(registry: Registry) -> None:
    registry.people.set_password(LOGIN, OTHER_PASSWORD)
    assert registry.people.recognise(LOGIN, PASSWORD, "") is None
    assert registry.people.recognise(LOGIN, OTHER_PASSWORD, "") is not None


def test_a_disabled_person_is_not_let_in_until_enabled(registry: Registry) -> None:
    registry.people.disable(LOGIN)
    assert registry.people.recognise(LOGIN, PASSWORD, "") is None
    registry.people.enable(LOGIN)
    assert registry.people.recognise(LOGIN, PASSWORD, "") is not None


def test_each_code_of_a_second_factor_is_good_once_and_for_a_minute(registry: Registry, time: SetTime) -> None:
    address = registry.people.set_second_factor(LOGIN)
    first = _code(address, time)
    assert registry.people.recognise(LOGIN, PASSWORD, "") is None
    assert registry.people.recognise(LOGIN, PASSWORD, "000000" if first != "000000" else "111111") is None
    assert registry.people.recognise(LOGIN, "wrong", first) is None, "and it is not used up by that"
    assert registry.people.recognise(LOGIN, PASSWORD, f"{first[:3]} {first[3:]}") is not None
    assert registry.people.recognise(LOGIN, PASSWORD, first) is None
    time.pass_s(30)
    late = _code(address, time)
    time.pass_s(90)
    assert registry.people.recognise(LOGIN, PASSWORD, late) is None
    registry.people.drop_second_factor(LOGIN)
    assert registry.people.recognise(LOGIN, PASSWORD, "") is not None


def test_a_session_is_the_persons_until_it_is_ended(registry: Registry) -> None:
    token = registry.sessions.begin(LOGIN, LIFETIME)
    found = registry.sessions.find(token, IDLE)
    assert found is not None
    assert (found.login, found.role, found.scope) == (LOGIN, Role.ANALYST, SOUTH)
    registry.sessions.end(token)
    assert registry.sessions.find(token, IDLE) is None
    for stranger in ("", "x", token[:-1], "x" * 10_000, "\udcff"):
        assert registry.sessions.find(stranger, IDLE) is None


def test_a_session_that_is_left_ends_and_one_that_is_used_goes_on(registry: Registry, time: SetTime) -> None:
    left, used = (registry.sessions.begin(LOGIN, LIFETIME) for _ in range(2))
    for _ in range(3):
        time.pass_s(IDLE.total_seconds() / 2)
        assert registry.sessions.find(used, IDLE) is not None
    assert registry.sessions.find(left, IDLE) is None


def test_no_session_outlives_its_time_however_much_it_is_used(registry: Registry, time: SetTime) -> None:
    token = registry.sessions.begin(LOGIN, LIFETIME)
    for _ in range(24):
        assert registry.sessions.find(token, IDLE + timedelta(seconds=1)) is not None
        time.pass_s(IDLE.total_seconds())
    assert registry.sessions.find(token, IDLE + timedelta(seconds=1)) is None


ENDING: list[Callable[[People], object]] = [
    lambda people: people.disable(LOGIN),
    lambda people: people.set_password(LOGIN, OTHER_PASSWORD),
    lambda people: people.set_second_factor(LOGIN),
    lambda people: people.drop_second_factor(LOGIN),
]


@pytest.mark.parametrize("change", ENDING, ids=["disabled", "new password", "second factor", "no second factor"])
def test_sessions_end_at_once_with(registry: Registry, change: Callable[[People], object]) -> None:
    token = registry.sessions.begin(LOGIN, LIFETIME)
    change(registry.people)
    assert registry.sessions.find(token, IDLE) is None
    registry.people.enable(LOGIN)
    assert registry.sessions.find(token, IDLE) is None


def test_another_role_holds_from_the_next_page_on(registry: Registry) -> None:
    token = registry.sessions.begin(LOGIN, LIFETIME)
    registry.people.change(LOGIN, Role.OPERATOR, WHOLE_COUNTRY)
    found = registry.sessions.find(token, IDLE)
    assert found is not None
    assert (found.role, found.scope) == (Role.OPERATOR, WHOLE_COUNTRY)


def test_every_change_is_in_the_log_with_who_made_it(registry: Registry) -> None:
    registry.people.change(LOGIN, Role.VIEWER, WHOLE_COUNTRY, "nurlan")
    registry.people.set_password(LOGIN, OTHER_PASSWORD, "nurlan")
    registry.people.set_second_factor(LOGIN, "nurlan")
    registry.people.drop_second_factor(LOGIN, "nurlan")
    registry.people.disable(LOGIN, "nurlan")
    registry.people.enable(LOGIN, "nurlan")
    told = [(change.action, change.actor, change.object) for change in reversed(registry.changes.newest(9))]
    assert told[0] == ("person_added", "the operator", f"person {LOGIN}")
    assert [action for action, _, _ in told[1:]] == [
        "person_changed", "password_set", "second_factor_set", "second_factor_dropped", "person_disabled",
        "person_enabled",
    ]  # fmt: skip
    assert {actor for _, actor, _ in told[1:]} == {"nurlan"}
    assert registry.changes.verify().fault is None


def test_who_has_no_password_is_known_by_none_and_vouched_for(registry: Registry) -> None:
    person = registry.people.add("nurlan@edu.example", Role.VIEWER, WHOLE_COUNTRY, None)
    assert (person.has_password, registry.people.get(LOGIN).has_password) == (False, True)
    for password in ("", PASSWORD, "nobody's"):
        assert registry.people.recognise(person.login, password, "") is None
    assert registry.people.vouched(" Nurlan@EDU.example ") == person
    assert registry.people.vouched("stranger@edu.example") is None
    registry.people.disable(person.login)
    assert registry.people.vouched(person.login) is None
    registry.people.enable(person.login)
    with pytest.raises(PersonRefused, match="has no password"):
        registry.people.set_second_factor(person.login)
    registry.people.set_password(person.login, OTHER_PASSWORD)
    assert registry.people.recognise(person.login, OTHER_PASSWORD, "") is not None


def test_a_password_that_is_taken_away_takes_sessions_and_second_factor_with_it(registry: Registry) -> None:
    registry.people.set_second_factor(LOGIN)
    token = registry.sessions.begin(LOGIN, LIFETIME)
    person = registry.people.drop_password(LOGIN, "nurlan")
    assert (person.has_password, person.has_second_factor) == (False, False)
    assert registry.sessions.find(token, IDLE) is None
    assert registry.people.recognise(LOGIN, PASSWORD, "") is None
    last = registry.changes.newest(1)[0]
    assert (last.action, last.actor) == ("password_dropped", "nurlan")
