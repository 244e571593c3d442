"""POST and DELETE /v1/leases over real sockets: who may ask, what is refused, and how often."""

import random
from collections.abc import Iterator

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from mektep_collector.api.lease_desk import LeaseDesk
from mektep_collector.api.leases import create_leases_router
from mektep_collector.api.problems import install_problem_handlers
from mektep_collector.clock import SystemTime
from mektep_collector.registry.records import DeviceStatus
from mektep_wire import LeaseAnswer, LeaseState, Problem, decode
from mektep_wire.problem import PROBLEM_MEDIA_TYPE
from tests.support.acceptance_server import KnownSenders
from tests.support.school_device import SchoolDevice
from tests.support.serving import serving

FIRST, SECOND = SchoolDevice(1, school_id="0007"), SchoolDevice(2, school_id="0007")
NEIGHBOUR, REVOKED = SchoolDevice(3, school_id="0008"), SchoolDevice(4, school_id="0007")
SENDERS = KnownSenders(
    [(one.token, one.record) for one in (FIRST, SECOND, NEIGHBOUR)]
    + [(REVOKED.token, msgspec.structs.replace(REVOKED.record, status=DeviceStatus.REVOKED))]
)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    app, time = FastAPI(), SystemTime()
    app.include_router(create_leases_router(SENDERS, LeaseDesk(time, random.Random(1)), time))
    install_problem_handlers(app)
    with (
        serving(app) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", timeout=20, trust_env=False) as opened,
    ):
        yield opened


def _by(device: SchoolDevice) -> dict[str, str]:
    return {"Authorization": f"Bearer {device.token}"}


def _ask(client: httpx.Client, device: SchoolDevice, body: bytes = b'{"for_s": 60}') -> httpx.Response:
    return client.post("/v1/leases", content=body, headers=_by(device))


def _answer(response: httpx.Response) -> LeaseAnswer:
    assert response.status_code == 200, response.text
    return decode(LeaseAnswer, response.content)


def _problem(response: httpx.Response, status: int, kind: str) -> Problem:
    assert (response.status_code, response.headers["Content-Type"]) == (status, PROBLEM_MEDIA_TYPE)
    told = decode(Problem, response.content)
    assert told.type == f"urn:mektep-meter:problem:{kind}"
    assert told.advice
    return told


def test_the_line_goes_from_one_device_to_the_next(client: httpx.Client) -> None:
    first = _answer(_ask(client, FIRST))
    assert _answer(_ask(client, SECOND)).state is LeaseState.OTHER_PROBER
    assert _answer(_ask(client, NEIGHBOUR)).state is LeaseState.GRANTED
    given_back = client.delete(f"/v1/leases/{first.lease_id}", params={"end": "measured"}, headers=_by(FIRST))
    assert (given_back.status_code, given_back.content) == (204, b"")
    second = _answer(_ask(client, SECOND))
    assert second.state is LeaseState.GRANTED
    assert second.measured_before_s is not None


def test_who_is_no_device_or_none_any_more_is_refused(client: httpx.Client) -> None:
    _problem(client.post("/v1/leases", content=b'{"for_s": 60}'), 401, "unauthorised")
    _problem(_ask(client, REVOKED), 403, "device-revoked")
    _problem(client.delete(f"/v1/leases/{FIRST.new_id()}"), 401, "unauthorised")


@pytest.mark.parametrize(
    ("body", "status", "kind", "field"),
    [
        (b"", 400, "malformed", "$"),
        (b"[]", 400, "malformed", "$"),
        (b'{"for_s": 0}', 422, "invalid-field", "$.for_s"),
        (b'{"for_s": 301}', 422, "invalid-field", "$.for_s"),
        (b'{"for_s": 1e999}', 422, "invalid-field", "$.for_s"),
        (b'{"for_s": 60, "school_id": "0008"}', 422, "invalid-field", "$.school_id"),
        (b'{"for_s": 60' + b" " * 2_000 + b"}", 413, "body-too-large", None),
    ],
)
def test_a_bad_request_is_refused_by_its_field(
    client: httpx.Client, body: bytes, status: int, kind: str, field: str | None
) -> None:
    assert _problem(_ask(client, FIRST, body), status, kind).field == field


@pytest.mark.parametrize(("lease_id", "end"), [("no-uuid", "measured"), (FIRST.new_id(), "perhaps")])
def test_a_lease_that_cannot_be_is_refused(client: httpx.Client, lease_id: str, end: str) -> None:
    _problem(client.delete(f"/v1/leases/{lease_id}", params={"end": end}, headers=_by(FIRST)), 422, "invalid-field")


def test_a_lease_that_nobody_has_is_let_be(client: httpx.Client) -> None:
    assert client.delete(f"/v1/leases/{FIRST.new_id()}", headers=_by(FIRST)).status_code == 204


def test_a_device_that_asks_without_end_is_slowed_down_and_the_others_are_not(client: httpx.Client) -> None:
    answers = [_ask(client, FIRST) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    _problem(answers[-1], 429, "too-many-requests")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 10
    assert _ask(client, SECOND).status_code == 200
