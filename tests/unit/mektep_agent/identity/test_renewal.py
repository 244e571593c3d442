"""When a token is due, how long the one before it is kept, and that an identity of an earlier version still loads."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.address import PlainHttp
from mektep_agent.identity.device import Device, load_device, store_device
from mektep_agent.identity.renewal import PREVIOUS_KEPT, is_due, renewed, replace_device, without_previous
from mektep_wire import TOKEN_LIFETIME_S, TokenGrant
from tests.support.agent_time import MONDAY_NOON
from tests.support.school_assignment import DEVICE_ID, school

ENROLLED = Device(
    device_id=DEVICE_ID,
    token="mkd_first_token_of_all",
    private_key=bytes(32),
    collector_url="https://collector.example",
    collector_public_key=bytes(32),
    plain_http=PlainHttp.REFUSED,
    school_name="Example school 1",
    enrolled_at=MONDAY_NOON,
)
GRANT = TokenGrant(device_id=DEVICE_ID, token="mkd_second_token_of_all", made_at=MONDAY_NOON + timedelta(days=90))
RENEWED = renewed(ENROLLED, ENROLLED.token, GRANT)


@pytest.mark.parametrize(
    ("lifetime_s", "age_s", "due"),
    [
        (None, TOKEN_LIFETIME_S - 1, False),
        (None, TOKEN_LIFETIME_S, True),
        (60.0, 59.0, False),
        (60.0, 60.0, True),
        (0.0, 1e9, False),
        (60.0, -1e9, False),
    ],
)
def test_a_token_is_due_by_its_age(lifetime_s: float | None, age_s: float, due: bool) -> None:
    assignment = school(token_lifetime_s=lifetime_s)
    assert is_due(ENROLLED, assignment, MONDAY_NOON + timedelta(seconds=age_s)) is due
    assert is_due(RENEWED, assignment, GRANT.made_at + timedelta(seconds=age_s)) is due


def test_a_token_that_was_made_before_the_operator_asked_is_due_whatever_its_age() -> None:
    for device, made_at in ((ENROLLED, ENROLLED.enrolled_at), (RENEWED, GRANT.made_at)):
        for after_s, due in ((0, False), (1, True)):
            asked = school(token_lifetime_s=0.0, renewal_asked_at=made_at + timedelta(seconds=after_s))
            assert is_due(device, asked, made_at + timedelta(seconds=2)) is due


def test_a_token_made_when_it_was_asked_for_is_not_due_again() -> None:
    assert not is_due(RENEWED, school(renewal_asked_at=GRANT.made_at), GRANT.made_at)


def test_the_one_that_asked_stands_beside_the_new_one_for_a_month() -> None:
    assert (RENEWED.token, RENEWED.previous_token) == (GRANT.token, ENROLLED.token)
    assert without_previous(RENEWED, GRANT.made_at + PREVIOUS_KEPT - timedelta(seconds=1)) == RENEWED
    assert without_previous(RENEWED, GRANT.made_at + PREVIOUS_KEPT).previous_token is None
    assert without_previous(ENROLLED, GRANT.made_at) == ENROLLED


def test_an_identity_is_replaced_only_where_it_is_what_it_was(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    assert not replace_device(folder, ENROLLED, RENEWED)
    store_device(folder, ENROLLED)
    assert replace_device(folder, ENROLLED, RENEWED)
    assert load_device(folder) == RENEWED
    assert not replace_device(folder, ENROLLED, ENROLLED)
    assert load_device(folder) == RENEWED


def test_an_identity_of_before_there_were_renewals_loads(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    store_device(folder, ENROLLED)
    written = msgspec.json.decode(folder.identity.read_bytes())
    for young in ("token_made_at", "previous_token"):
        del written[young]
    folder.identity.write_bytes(msgspec.json.encode(written))
    assert load_device(folder) == ENROLLED


def test_no_token_shows_when_a_device_or_a_grant_is_printed() -> None:
    shown = f"{RENEWED!r} {RENEWED} {GRANT!r} {GRANT}"
    assert "mkd_" not in shown
    assert DEVICE_ID in shown
