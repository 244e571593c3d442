"""POST /v1/tokens over real sockets: who may renew a token, and that every refusal says what to do."""

import gzip
from collections.abc import Callable, Generator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from mektep_collector.api.assignment_content import MeasuringPoints
from mektep_collector.api.metrics import new_metrics
from mektep_collector.app import Parts, create_app
from mektep_collector.config import Config
from mektep_collector.journal.journal import Journal
from mektep_collector.registry.registry import TOKEN_OVERLAP, Registry
from mektep_collector.registry.senders import REMEMBERED_S
from mektep_wire import Purpose, TokenGrant, TokenRequest, decode, encode, format_signature, signing_input
from tests.support.newcomer import Newcomer
from tests.support.school_table import EXAMPLE, registry_with
from tests.support.serving import serving
from tests.support.set_time import SetTime

NONCES = (number.to_bytes(16, "big") for number in count())
HOUR = timedelta(hours=1)
Change = Callable[[TokenRequest], TokenRequest]


class Computer:
    """An enrolled computer that asks for tokens."""

    def __init__(self, address: str, registry: Registry, time: SetTime, seed: int) -> None:
        self.newcomer = Newcomer(seed)
        (issued,) = registry.codes.issue("0007", 1, HOUR, time.now())
        enrolled = registry.enrolment.enrol(self.newcomer.request(issued.code), time.now())
        self.id, self.token = enrolled.device.id, enrolled.token
        self.address = address
        self.time = time
        time.pass_s(60.0)

    def request(self) -> TokenRequest:
        return TokenRequest(device_id=self.id, asked_at=self.time.now(), nonce=next(NONCES))

    def sign(self, body: bytes, purpose: Purpose = Purpose.TOKEN) -> str:
        return format_signature(self.newcomer.key.sign(signing_input(purpose, body)))

    def post(self, body: bytes, signature: str | None = None, **headers: str) -> httpx.Response:
        return httpx.post(
            self.address + "/v1/tokens",
            content=body,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Mektep-Signature": self.sign(body) if signature is None else signature,
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    def lets_in(self, token: str) -> bool:
        asked = httpx.get(self.address + "/v1/assignment", headers={"Authorization": f"Bearer {token}"})
        return asked.status_code == 200


@pytest.fixture
def time() -> SetTime:
    return SetTime()


@pytest.fixture
def registry(tmp_path: Path, time: SetTime) -> Generator[Registry, None, None]:
    with registry_with(tmp_path, time, EXAMPLE) as opened:
        yield opened


@pytest.fixture
def address(registry: Registry, time: SetTime, tmp_path: Path) -> Generator[str, None, None]:
    journal = Journal(tmp_path / "journal")
    parts = Parts(
        config=Config(),
        registry=registry,
        journal=journal,
        points=MeasuringPoints(ndt7_url=None, echo_url=None),
        checks={},
        metrics=new_metrics(),
        time=time,
    )
    with serving(create_app(parts)) as (host, port):
        yield f"http://{host}:{port}"
    journal.close()


@pytest.fixture
def computer(address: str, registry: Registry, time: SetTime) -> Computer:
    return Computer(address, registry, time, 1)


def problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    told: dict[str, Any] = response.json()
    assert told["type"] == f"urn:mektep-meter:problem:{kind}"
    assert told["advice"], told
    return told


def test_a_token_is_renewed_and_the_old_one_ends_an_overlap_after_the_new_ones_first_use(
    registry: Registry, computer: Computer, time: SetTime
) -> None:
    answered = computer.post(encode(computer.request()))
    assert (answered.status_code, answered.headers["Cache-Control"]) == (201, "no-store")
    grant = decode(TokenGrant, answered.content)
    assert (grant.device_id, grant.made_at) == (computer.id, time.now())
    time.pass_s(30 * 86_400.0)
    assert computer.lets_in(computer.token)
    assert computer.lets_in(grant.token)
    registry.senders.write_seen()
    time.pass_s(TOKEN_OVERLAP.total_seconds() - REMEMBERED_S)
    assert computer.lets_in(computer.token)
    time.pass_s(REMEMBERED_S)
    assert not computer.lets_in(computer.token)
    assert computer.lets_in(grant.token)


def test_a_stolen_token_alone_renews_nothing_and_uses_up_none_of_the_devices_attempts(
    registry: Registry, computer: Computer, address: str, time: SetTime
) -> None:
    thief = Computer(address, registry, time, 2)
    body = encode(computer.request())
    for signature in ("", "ed25519=AAAA", thief.sign(body), computer.sign(body, Purpose.BATCH), computer.sign(b"x")):
        for _ in range(3):
            problem(computer.post(body, signature), 403, "bad-signature")
    assert computer.post(body).status_code == 201


def test_a_request_is_good_once_and_in_its_own_hour(computer: Computer, time: SetTime) -> None:
    body = encode(computer.request())
    assert computer.post(body).status_code == 201
    assert problem(computer.post(body), 409, "replayed")["field"] == "$.nonce"
    late = encode(computer.request())
    time.pass_s(3_600.0)
    assert problem(computer.post(late), 422, "invalid-field")["field"] == "$.asked_at"


def test_a_request_of_another_device_is_refused(
    registry: Registry, computer: Computer, address: str, time: SetTime
) -> None:
    other = Computer(address, registry, time, 2)
    problem(computer.post(encode(other.request())), 403, "other-device")


@pytest.mark.parametrize("token", ["x", "mkd_x"])
def test_who_has_no_token_is_refused(computer: Computer, token: str) -> None:
    computer.token = token
    problem(computer.post(encode(computer.request())), 401, "unauthorised")


def test_a_token_that_ended_a_moment_ago_renews_nothing(registry: Registry, computer: Computer, time: SetTime) -> None:
    """The token is still let in from memory; the register is asked before a new one is given."""
    lost = decode(TokenGrant, computer.post(encode(computer.request())).content).token
    assert computer.lets_in(lost)
    registry.tokens.renew(computer.token, computer.request())
    computer.token = lost
    problem(computer.post(encode(computer.request())), 401, "unauthorised")


def test_a_revoked_device_is_given_none_at_once(registry: Registry, computer: Computer) -> None:
    assert computer.lets_in(computer.token)
    registry.devices.revoke(computer.id)
    problem(computer.post(encode(computer.request())), 403, "device-revoked")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"nonce": "AAAA"}, "$.nonce"),
        ({"asked_at": "2026-11-23T07:00:00"}, "$.asked_at"),
        ({"device_id": "x"}, "$.device_id"),
        ({"token": "x"}, "$.token"),
    ],
)
def test_a_field_that_cannot_be_is_named(computer: Computer, change: dict[str, str], field: str) -> None:
    body = msgspec.json.encode(msgspec.to_builtins(computer.request()) | change)
    assert problem(computer.post(body), 422, "invalid-field")["field"] == field


def test_a_body_that_is_none_is_refused(computer: Computer) -> None:
    for body in (b"", b"{", b"\xff\xfe"):
        problem(computer.post(body), 400, "malformed")
    problem(computer.post(b"x" * 2_000), 413, "body-too-large")
    problem(computer.post(b"x", Content_Encoding="gzip"), 400, "bad-compression")
    problem(computer.post(gzip.compress(bytes(9_000)), Content_Encoding="gzip"), 413, "body-too-large")


def test_a_device_that_asks_without_a_pause_is_told_when_to_ask(computer: Computer, address: str) -> None:
    answers = [computer.post(encode(computer.request())) for _ in range(6)]
    assert [one.status_code for one in answers] == [201] * 5 + [429]
    problem(answers[-1], 429, "too-many-requests")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 600
    counted = httpx.get(address + "/metrics").text
    assert 'mektep_token_renewals_total{outcome="renewed"} 5.0' in counted
    assert 'mektep_token_renewals_total{outcome="too-many-requests"} 1.0' in counted
