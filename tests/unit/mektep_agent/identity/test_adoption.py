"""An assignment is taken in when it is signed, ours, newer and can be followed; else the last good one stays."""

from pathlib import Path

import msgspec
import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.address import AddressError, PlainHttp, collector_address, own_address
from mektep_agent.identity.adoption import adopt
from mektep_agent.identity.device import (
    Device,
    IdentityError,
    PendingEnrolment,
    load_device,
    load_pending,
    store_device,
    store_pending,
)
from mektep_agent.identity.keys import is_signed, new_private_key, public_key_of, sign
from mektep_agent.identity.last_assignment import AssignmentError, load_assignment
from mektep_wire import Assignment, Purpose, SignedAssignment, encode
from tests.support.agent_time import MONDAY_NOON
from tests.support.school_assignment import DEVICE_ID, OTHER_DEVICE_ID, school

KEY = new_private_key()
PUBLIC = public_key_of(KEY)


def _signed(assignment: Assignment, key: bytes = KEY, purpose: Purpose = Purpose.ASSIGNMENT) -> SignedAssignment:
    payload = encode(assignment)
    return SignedAssignment(payload=payload, signature=sign(key, purpose, payload))


def _version(number: int, **changes: object) -> Assignment:
    return msgspec.structs.replace(school(), version=number, **changes)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    made = StateFolder(tmp_path)
    adopt(made, _signed(_version(5)), PUBLIC, DEVICE_ID)
    return made


def test_a_newer_assignment_is_kept(folder: StateFolder) -> None:
    assert adopt(folder, _signed(_version(6)), PUBLIC, DEVICE_ID) == _version(6)
    assert load_assignment(folder) == _version(6)


def test_the_version_in_force_changes_nothing(folder: StateFolder) -> None:
    assert adopt(folder, _signed(_version(5, latency_interval_s=60.0)), PUBLIC, DEVICE_ID) is None
    assert load_assignment(folder) == _version(5)


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        (_signed(_version(6), new_private_key()), "not signed"),
        (_signed(_version(6), purpose=Purpose.BATCH), "not signed"),
        (msgspec.structs.replace(_signed(_version(6)), payload=encode(_version(7))), "not signed"),
        (_signed(_version(6, device_id=OTHER_DEVICE_ID)), "another device"),
        (_signed(_version(4)), "older"),
        (_signed(_version(6, time_zone="Asia/Atlantis")), "Atlantis"),
        (_signed(_version(6, time_zone="posixrules/../..")), "unknown|read"),
    ],
)
def test_a_bad_or_older_assignment_is_refused_and_the_last_good_one_stays(
    folder: StateFolder, signed: SignedAssignment, words: str
) -> None:
    with pytest.raises(AssignmentError, match=words):
        adopt(folder, signed, PUBLIC, DEVICE_ID)
    assert load_assignment(folder) == _version(5)


def test_signed_bytes_that_are_no_assignment_are_refused(folder: StateFolder) -> None:
    payload = b'{"version": "six"}'
    with pytest.raises(AssignmentError, match="does not read"):
        adopt(
            folder,
            SignedAssignment(payload=payload, signature=sign(KEY, Purpose.ASSIGNMENT, payload)),
            PUBLIC,
            DEVICE_ID,
        )
    assert load_assignment(folder) == _version(5)


def test_a_damaged_file_does_not_stand_in_the_way_of_a_good_assignment(folder: StateFolder) -> None:
    folder.assignment.write_bytes(b"{")
    with pytest.raises(AssignmentError, match="cannot be read"):
        load_assignment(folder)
    assert adopt(folder, _signed(_version(1)), PUBLIC, DEVICE_ID) == _version(1)


def test_a_signature_is_for_its_bytes_and_purpose_alone() -> None:
    signature = sign(KEY, Purpose.BATCH, b"bytes")
    assert is_signed(PUBLIC, Purpose.BATCH, b"bytes", signature)
    assert not is_signed(PUBLIC, Purpose.BATCH, b"bytez", signature)
    assert not is_signed(PUBLIC, Purpose.ENROLMENT, b"bytes", signature)
    assert not is_signed(public_key_of(new_private_key()), Purpose.BATCH, b"bytes", signature)


def _device() -> Device:
    return Device(
        device_id=DEVICE_ID, token="mkd_very_secret_token", private_key=KEY, collector_url="https://collector.example",
        collector_public_key=PUBLIC, plain_http=PlainHttp.REFUSED, school_name="Example school 1",
        enrolled_at=MONDAY_NOON,
    )  # fmt: skip


def test_a_device_is_kept_whole_and_its_secrets_are_not_shown(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    assert load_device(folder) is None
    store_device(folder, _device())
    assert load_device(folder) == _device()
    assert "secret" not in repr(_device())
    assert repr(KEY) not in repr(_device())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"device_id": 1}'])
def test_a_damaged_identity_is_said_and_not_taken_for_none(tmp_path: Path, content: bytes) -> None:
    folder = StateFolder(tmp_path)
    folder.identity.write_bytes(content)
    with pytest.raises(IdentityError, match="--replace"):
        load_device(folder)


def test_an_enrolment_that_was_begun_is_taken_up_with_the_same_key_for_the_same_code_only(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    pending = PendingEnrolment(collector_url="https://collector.example", code="abc123.x", private_key=KEY)
    store_pending(folder, pending)
    assert load_pending(folder, "https://collector.example", "abc123.x") == pending
    assert load_pending(folder, "https://collector.example", "abc123.y") is None
    assert load_pending(folder, "https://other.example", "abc123.x") is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://collector.example/", "https://collector.example"),
        (" HTTPS://Collector.Example:8443/mektep/ ", "https://collector.example:8443/mektep"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    assert collector_address(text, PlainHttp.REFUSED) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://10.0.0.1:8080", "--insecure-http"),
        ("http://collector.example", "--insecure-http"),
        ("http://localhost.example", "--insecure-http"),
        ("ftp://collector.example", "no address of a collector"),
        ("collector.example", "no address of a collector"),
        ("https://", "no address of a collector"),
        ("https://collector.example:port", "no address"),
        ("https://user:secret@collector.example", "leave out"),
        ("https://collector.example/?code=1", "leave out"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(AddressError, match=words):
        collector_address(text, PlainHttp.REFUSED)


def test_plain_http_is_allowed_when_a_person_says_so() -> None:
    assert collector_address("http://10.0.0.1:8080", PlainHttp.ALLOWED) == "http://10.0.0.1:8080"


@pytest.mark.parametrize(
    ("url", "peer", "kept"),
    [
        ("https://10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("http://localhost:8080", "127.0.0.1", "127.0.0.1"),
        ("https://[::1]:8443", "::1", "::1"),
        ("https://10.0.0.1", "10.0.0.2", ""),
        ("https://collector.invalid", "10.0.0.2", ""),
        ("https://10.0.0.1", "", ""),
    ],
)
def test_an_address_is_the_collectors_own_only_where_no_proxy_answered_for_it(url: str, peer: str, kept: str) -> None:
    assert own_address(url, peer) == kept
