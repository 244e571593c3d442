"""POST /v1/readings over real sockets, with the real journal: what is kept, what is refused, what the refusal says."""

import gzip
import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from mektep_collector.api import body as api_body
from mektep_collector.api.attempt_limit import AttemptLimit
from mektep_collector.api.problems import install_problem_handlers
from mektep_collector.api.readings import create_readings_router, readings_endpoint
from mektep_collector.clock import SystemTime
from mektep_collector.journal.entry import TimeMethod
from mektep_collector.journal.error import JournalBusyError, JournalError
from mektep_collector.journal.journal import Journal
from mektep_collector.journal.submission import Submission
from mektep_collector.registry.error import RegistryAway
from mektep_collector.registry.records import Device, DeviceStatus
from mektep_wire import FateOutcome, Problem, Receipt, decode, encode, format_signature
from mektep_wire.batch import MAX_BATCH_BYTES, MAX_BODY_BYTES
from mektep_wire.problem import PROBLEM_MEDIA_TYPE
from tests.support.acceptance_server import KnownSenders, create_acceptance_app
from tests.support.school_device import NOON, SchoolDevice
from tests.support.serving import serving

DEVICE = SchoolDevice(1, school_id="0001")
OTHER = SchoolDevice(2, school_id="0002")
REVOKED = SchoolDevice(3)
SENDERS = KnownSenders(
    [
        (DEVICE.token, DEVICE.record),
        (OTHER.token, OTHER.record),
        (REVOKED.token, msgspec.structs.replace(REVOKED.record, status=DeviceStatus.REVOKED)),
    ]
)


class FullDisk:
    """A journal that cannot write, or has too much to."""

    def __init__(self, error: JournalError) -> None:
        self._error = error

    async def accept(self, submission: Submission) -> Receipt:
        raise self._error


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal")
    yield opened
    opened.close()


@pytest.fixture
def client(journal: Journal) -> Iterator[httpx.Client]:
    with (
        serving(create_acceptance_app(SENDERS, journal, SystemTime())) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", timeout=20, trust_env=False) as opened,
    ):
        yield opened


def _post(client: httpx.Client, body: bytes, device: SchoolDevice = DEVICE, **changes: str | None) -> httpx.Response:
    """Send as the agent does, with headers changed or, where None, left out; names with _ for -."""
    packed = gzip.compress(body, mtime=0)
    headers: dict[str, str] = device.headers(packed)
    for name, value in changes.items():
        proper = {"signature": "Mektep-Signature"}.get(name, name.replace("_", "-").title())
        headers.pop(proper, None)
        if value is not None:
            headers[proper] = value
    return client.post("/v1/readings", content=packed, headers=headers)


def _receipt(response: httpx.Response) -> Receipt:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return decode(Receipt, response.content)


def _problem(response: httpx.Response, status: int, kind: str) -> Problem:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE
    problem = decode(Problem, response.content)
    assert problem.type == f"urn:mektep-meter:problem:{kind}"
    assert problem.status == status
    assert problem.advice, "a refusal says what to do"
    return problem


def test_a_signed_batch_is_stored_and_the_same_again_is_a_duplicate(client: httpx.Client, journal: Journal) -> None:
    readings = [DEVICE.reading(seq, NOON - timedelta(minutes=seq)) for seq in range(1, 8)]
    body = DEVICE.batch(readings)
    assert [fate.outcome for fate in _receipt(_post(client, body)).fates] == [FateOutcome.STORED] * 7
    assert [fate.outcome for fate in _receipt(_post(client, body)).fates] == [FateOutcome.DUPLICATE] * 7
    (entry,) = journal.read(0, 10)
    assert [each.reading for each in entry.accepted] == readings
    assert {(each.school_id, each.device_id) for each in entry.accepted} == {("0001", DEVICE.record.id)}


def test_a_body_without_compression_is_taken_too(client: httpx.Client, journal: Journal) -> None:
    body = DEVICE.batch([DEVICE.reading(1)])
    headers = {name: value for name, value in DEVICE.headers(body).items() if name != "Content-Encoding"}
    assert len(_receipt(client.post("/v1/readings", content=body, headers=headers)).fates) == 1
    headers["Content-Encoding"] = "identity"
    assert len(_receipt(client.post("/v1/readings", content=body, headers=headers)).fates) == 1
    assert journal.counts().duplicate_count == 1


def test_the_good_readings_of_a_mixed_batch_are_kept_and_each_bad_one_is_named(
    client: httpx.Client, journal: Journal
) -> None:
    good = [DEVICE.reading(1), DEVICE.reading(2)]
    like = json.loads(encode(DEVICE.reading(3)))
    bad = {
        "$.readings[1].seq": {**like, "seq": 0},
        "$.readings[2].extra": {**like, "extra": 1},
        "$.readings[3].values.idle_rtt_ms": {
            **like,
            "values": {"idle_rtt_ms": -5.0},
            "sample_counts": {},
            "intervals": {},
        },
        "$.readings[4].seq": 7,
    }
    body = DEVICE.batch([good[0], *(json.dumps(each).encode() for each in bad.values()), good[1]])
    fates = _receipt(_post(client, body)).fates
    assert [fate.outcome.value for fate in fates] == ["stored", *["rejected"] * 4, "stored"]
    assert [fate.field for fate in fates[1:5]] == list(bad)
    assert all(fate.reason for fate in fates[1:5])
    assert [each.reading for entry in journal.read(0, 10) for each in entry.accepted] == good


@pytest.mark.parametrize("number", [b"NaN", b"1e999"])
def test_a_number_that_is_none_is_named_and_the_batch_can_be_halved(client: httpx.Client, number: bytes) -> None:
    body = DEVICE.batch([DEVICE.reading(1), DEVICE.reading(2)])
    before, _, after = body.partition(b'"duration_s":[')
    response = _post(client, before + b'"duration_s":[' + number + after[after.index(b",") :])
    # What is not JSON at all cannot be taken apart; the agent halves the batch and finds the bad one.
    assert _problem(response, 422, "invalid-field").field == "$.readings.duration_s[0]"


def test_an_endless_text_does_not_take_its_neighbours_with_it(client: httpx.Client) -> None:
    broken = msgspec.structs.replace(DEVICE.reading(1), target="x" * 100_000)
    fates = _receipt(_post(client, DEVICE.batch([broken, DEVICE.reading(2)]))).fates
    assert [fate.outcome.value for fate in fates] == ["rejected", "stored"]
    assert fates[0].field == "$.readings[0].target"


def test_a_collector_says_what_time_it_is_for_readings_of_wrong_clocks(client: httpx.Client, journal: Journal) -> None:
    elsewhere = DEVICE.new_id()
    ten_years = timedelta(days=3652)
    readings = [
        DEVICE.reading(1, NOON - ten_years, monotonic_s=1e6 - 60),
        DEVICE.reading(2, NOON + ten_years, boot_id=elsewhere, monotonic_s=5),
        DEVICE.reading(3, NOON - ten_years * 5, boot_id=elsewhere, monotonic_s=5),
    ]
    fates = _receipt(_post(client, DEVICE.batch(readings, NOON, sent_monotonic_s=1e6))).fates
    assert {fate.outcome for fate in fates} == {FateOutcome.STORED}
    (entry,) = journal.read(0, 10)
    same_boot, *quarantined = entry.accepted
    assert same_boot.time_method is TimeMethod.SAME_BOOT
    assert entry.received_at - same_boot.at == timedelta(seconds=60)
    assert {each.time_method for each in quarantined} == {TimeMethod.QUARANTINED}


@pytest.mark.parametrize("sent_at", [NOON - timedelta(days=20_000), NOON + timedelta(days=3652)], ids=["1972", "2036"])
def test_a_batch_sent_by_a_clock_decades_off_is_kept(client: httpx.Client, journal: Journal, sent_at: object) -> None:
    body = DEVICE.batch([DEVICE.reading(1, monotonic_s=5.0)], sent_monotonic_s=65.0)
    assert body.count(b'"sent_at":"2026-11-23T07:00:00Z"') == 1
    body = body.replace(b'"sent_at":"2026-11-23T07:00:00Z"', f'"sent_at":"{sent_at}"'.replace(" ", "T").encode())
    assert [fate.outcome for fate in _receipt(_post(client, body)).fates] == [FateOutcome.STORED]
    (entry,) = journal.read(0, 10)
    assert entry.received_at - entry.accepted[0].at == timedelta(seconds=60)


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer  mkd", "Basic eDp5", "Bearer mkd_unknown", "Token x"], ids=repr
)
def test_without_a_token_that_is_known_nothing_is_read(client: httpx.Client, authorization: str | None) -> None:
    response = _post(client, DEVICE.batch([DEVICE.reading(1)]), authorization=authorization)
    _problem(response, 401, "unauthorised")
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_revoked_device_is_told_so(client: httpx.Client) -> None:
    problem = _problem(_post(client, REVOKED.batch([REVOKED.reading(1)]), REVOKED), 403, "device-revoked")
    assert "enrol" in problem.advice


def test_only_who_is_known_and_signs_has_a_body_inflated_and_a_bomb_not_beyond_the_limit(client: httpx.Client) -> None:
    bomb = gzip.compress(bytes(64 * 2**20), 9)
    headers = {"Content-Encoding": "gzip"}
    _problem(client.post("/v1/readings", content=bomb, headers=headers), 401, "unauthorised")
    headers["Authorization"] = f"Bearer {DEVICE.token}"
    _problem(client.post("/v1/readings", content=bomb, headers=headers), 403, "bad-signature")
    response = client.post("/v1/readings", content=bomb, headers=DEVICE.headers(bomb))
    problem = _problem(response, 413, "body-too-large")
    assert str(MAX_BATCH_BYTES) in problem.detail


@pytest.mark.parametrize(
    "signature",
    [None, "", "ed25519=", "ed25519=####", "rsa=AAAA", format_signature(bytes(64)), format_signature(bytes(64)) + "A"],
    ids=repr,
)
def test_an_unsigned_or_wrongly_signed_batch_is_refused_and_kept_by_the_agent(
    client: httpx.Client, journal: Journal, signature: str | None
) -> None:
    _problem(_post(client, DEVICE.batch([DEVICE.reading(1)]), signature=signature), 403, "bad-signature")
    assert journal.position() == 0


def test_one_changed_byte_breaks_the_signature(client: httpx.Client) -> None:
    body = DEVICE.batch([DEVICE.reading(1)])
    changed = body.replace(b'"seq":[1]', b'"seq":[2]')
    response = _post(client, changed, signature=format_signature(DEVICE.sign(gzip.compress(body, mtime=0))))
    _problem(response, 403, "bad-signature")


def test_another_devices_batch_is_refused_with_whichever_signature(client: httpx.Client) -> None:
    theirs = OTHER.batch([OTHER.reading(1)])
    _problem(
        _post(client, theirs, signature=format_signature(OTHER.sign(gzip.compress(theirs, mtime=0)))),
        403,
        "bad-signature",
    )
    problem = _problem(_post(client, theirs), 403, "other-device")
    assert problem.field == "$.device_id"


@pytest.mark.parametrize(
    ("body", "status", "kind", "field"),
    [
        (b"", 400, "malformed", "$"),
        (b"<html>", 400, "malformed", "$"),
        (b"[]", 400, "malformed", "$"),
        (b"\xff\xfe", 400, "malformed", "$"),
        (b"[" * 100_000, 400, "malformed", "$"),
        (b'{"id":"x"}', 422, "invalid-field", "$.id"),
    ],
    ids=["empty", "html", "list", "utf-16", "deep", "id"],
)
def test_what_is_no_batch_is_refused_by_its_field(
    client: httpx.Client, body: bytes, status: int, kind: str, field: str
) -> None:
    assert _problem(_post(client, body), status, kind).field == field


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        ((b'"seq":[1,2]', b'"seq":[]'), "$.readings.seq"),
        ((b'"seq":[1,2]', b'"seq":[1,2,3]'), "$.readings.id"),
        ((b'"seq":[1,2]', b'"seq":7'), "$.readings.seq"),
        ((b'"at":[0,1]', b'"at":[0,9]'), "$.readings.probe"),
        ((b'"seq":', b'"velocity":[1,2],"seq":'), "$.readings.velocity"),
    ],
    ids=["none", "one more", "no list", "beyond the table", "unknown"],
)
def test_columns_that_do_not_fit_together_are_named(
    client: httpx.Client, spoil: tuple[bytes, bytes], field: str
) -> None:
    body = DEVICE.batch([DEVICE.reading(1), DEVICE.reading(2)])
    assert spoil[0] in body
    problem = _problem(_post(client, body.replace(*spoil, 1)), 422, "invalid-field")
    assert problem.field == field


def test_more_readings_than_a_batch_may_hold_are_refused_together(client: httpx.Client) -> None:
    body = DEVICE.batch([DEVICE.reading(seq) for seq in range(1, 502)])
    assert _problem(_post(client, body), 422, "invalid-field").field == "$.readings.seq"


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "x" * 200])
def test_other_encodings_are_refused_with_those_that_go(client: httpx.Client, encoding: str) -> None:
    response = _post(client, DEVICE.batch([DEVICE.reading(1)]), content_encoding=encoding)
    _problem(response, 415, "unsupported-encoding")
    assert response.headers["accept-encoding"] == "gzip, identity"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda member: member[:-9],
        lambda member: member + b"\0",
        lambda member: member + member,
        lambda member: b"{}" + member,
        lambda member: member[:-4] + b"\0\0\0\1",
        lambda _: b"",
    ],
    ids=["truncated", "trailing", "two members", "not gzip", "wrong length", "nothing"],
)
def test_compression_that_is_not_exactly_one_sound_member_is_refused(client: httpx.Client, spoil: object) -> None:
    assert callable(spoil)
    spoiled = spoil(gzip.compress(DEVICE.batch([DEVICE.reading(1)])))
    response = client.post("/v1/readings", content=spoiled, headers=DEVICE.headers(spoiled))
    _problem(response, 400, "bad-compression")


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(client: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {DEVICE.token}"}
    response = client.post("/v1/readings", content=bytes(MAX_BODY_BYTES + 1), headers=headers)
    problem = _problem(response, 413, "body-too-large")
    assert "fewer readings" in problem.advice

    def endless() -> Iterator[bytes]:
        for _ in range(20):
            yield bytes(65_536)

    _problem(client.post("/v1/readings", content=endless(), headers=headers), 413, "body-too-large")


@pytest.mark.parametrize(
    ("error", "detail"),
    [(JournalError("database or disk is full"), "cannot write"), (JournalBusyError("1024 batches wait"), "wait")],
    ids=["full", "busy"],
)
def test_a_journal_that_cannot_write_asks_the_agent_to_come_again(error: JournalError, detail: str) -> None:
    with (
        serving(create_acceptance_app(SENDERS, FullDisk(error), SystemTime())) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", trust_env=False) as client,
    ):
        response = _post(client, DEVICE.batch([DEVICE.reading(1)]))
    problem = _problem(response, 503, "unavailable")
    assert detail in problem.detail
    assert int(response.headers["retry-after"]) > 0


def test_a_register_that_is_away_asks_the_agent_to_come_again(journal: Journal) -> None:
    class Away:
        def authenticate(self, token: str) -> Device:
            raise RegistryAway("the registry cannot be used at the moment: database is locked")

    with (
        serving(create_acceptance_app(Away(), journal, SystemTime())) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", trust_env=False) as client,
    ):
        response = _post(client, DEVICE.batch([DEVICE.reading(1)]))
    assert "database is locked" in _problem(response, 503, "unavailable").detail
    assert int(response.headers["retry-after"]) > 0


def test_a_device_that_sends_without_a_pause_is_told_to_wait_and_others_are_not(journal: Journal) -> None:
    accept = readings_endpoint(SENDERS, journal, SystemTime(), AttemptLimit(3, 60.0, SystemTime()))
    app = FastAPI()
    app.include_router(create_readings_router(accept))
    install_problem_handlers(app)
    with (
        serving(app) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", trust_env=False) as client,
    ):
        for seq in (1, 2, 3):
            _receipt(_post(client, DEVICE.batch([DEVICE.reading(seq)])))
        refused = _post(client, DEVICE.batch([DEVICE.reading(4)]))
        _problem(refused, 429, "too-many-requests")
        assert 50 <= int(refused.headers["retry-after"]) <= 60
        _receipt(_post(client, OTHER.batch([OTHER.reading(1)]), OTHER))


def test_a_bug_is_a_problem_without_its_secrets_and_other_addresses_are_too() -> None:
    class Broken:
        async def accept(self, submission: Submission) -> Receipt:
            raise ZeroDivisionError("secret of the house")

    with (
        serving(create_acceptance_app(SENDERS, Broken(), SystemTime())) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", trust_env=False) as client,
    ):
        response = _post(client, DEVICE.batch([DEVICE.reading(1)]))
        assert "secret" not in response.text
        _problem(response, 500, "internal")
    with (
        serving(create_acceptance_app(SENDERS, Broken(), SystemTime())) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", trust_env=False) as client,
    ):
        _problem(client.get("/v1/nothing"), 404, "not-found")
        wrong = client.get("/v1/readings")
        assert "POST" in _problem(wrong, 405, "method-not-allowed").advice
        assert wrong.headers["allow"] == "POST"


def test_a_connection_cut_in_mid_body_harms_nobody(client: httpx.Client, journal: Journal) -> None:
    body = DEVICE.batch([DEVICE.reading(1)])
    head = "".join(f"{name}: {value}\r\n" for name, value in DEVICE.headers(body).items())
    for _ in range(3):
        with socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=10) as raw:
            raw.sendall(
                f"POST /v1/readings HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 5000\r\n\r\n".encode() + body[:100]
            )
    assert len(_receipt(_post(client, body)).fates) == 1
    assert journal.position() == 1


def test_the_header_may_hold_base64_that_is_not_ours_without_harm(client: httpx.Client) -> None:
    noise = "ed25519=" + b64encode(bytes(range(256))).decode()
    _problem(_post(client, DEVICE.batch([DEVICE.reading(1)]), signature=noise), 403, "bad-signature")


def test_the_deadline_of_a_body_is_short_enough_to_hold_no_connection_for_long() -> None:
    assert api_body.BODY_DEADLINE_S <= 60
