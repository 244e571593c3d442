"""POST /v1/enrolments and GET /v1/assignment over real sockets: every refusal is a problem that says what to do."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from mektep_collector.registry.registry import Registry, open_registry
from mektep_wire import EnrolmentGrant, EnrolmentRequest, decode, encode
from tests.support.newcomer import Newcomer
from tests.support.running_collector import RunningCollector, running_collector
from tests.support.school_table import EXAMPLE, school_file


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Generator[Registry, None, None]:
    opened = open_registry(tmp_path_factory.mktemp("collector"))
    opened.schools.take_in(school_file(EXAMPLE))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def data_dir(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return next(tmp_path_factory.getbasetemp().glob("collector*"))


@pytest.fixture(scope="module")
def collector(data_dir: Path) -> Generator[RunningCollector, None, None]:
    with running_collector(data_dir, "--no-measure") as running:
        yield running


def new_code(registry: Registry, lifetime: timedelta = timedelta(hours=1)) -> str:
    return registry.codes.issue("0007", 1, lifetime, datetime.now(UTC))[0].code


def ask(collector: RunningCollector, request: EnrolmentRequest) -> httpx.Response:
    return httpx.post(collector.url + "/v1/enrolments", content=encode(request))


def problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    told: dict[str, Any] = response.json()
    assert told["type"] == f"urn:mektep-meter:problem:{kind}"
    assert told["advice"], told
    return told


def test_a_lost_answer_is_asked_for_again(registry: Registry, collector: RunningCollector) -> None:
    request = Newcomer(11).request(new_code(registry))
    first, second = (decode(EnrolmentGrant, ask(collector, request).content) for _ in range(2))
    assert first.device_id == second.device_id
    assert first.assignment == second.assignment
    assert first.token != second.token
    for token in (first.token, second.token):
        assert collector.get("/v1/assignment", Authorization=f"Bearer {token}").status_code == 200


def test_refusals_say_what_to_do(registry: Registry, collector: RunningCollector) -> None:
    code = new_code(registry)
    assert ask(collector, Newcomer(21).request(code)).status_code == 201
    problem(ask(collector, Newcomer(22).request(code)), 409, "code-spent")
    expired = new_code(registry, timedelta(seconds=-1))
    assert "new code" in problem(ask(collector, Newcomer(23).request(expired)), 410, "code-expired")["advice"]
    problem(ask(collector, Newcomer(24).request("aaaaaa.aaaaaaaaaaaaaaaa")), 404, "code-unknown")
    fresh = new_code(registry)
    problem(ask(collector, Newcomer(25).request(fresh, proof_code=code)), 403, "bad-signature")


def test_a_revoked_device_is_told_so(registry: Registry, collector: RunningCollector) -> None:
    request = Newcomer(31).request(new_code(registry))
    grant = decode(EnrolmentGrant, ask(collector, request).content)
    registry.devices.revoke(grant.device_id)
    problem(ask(collector, request), 403, "device-revoked")
    problem(collector.get("/v1/assignment", Authorization=f"Bearer {grant.token}"), 403, "device-revoked")


@pytest.mark.parametrize(
    ("change", "status", "kind", "field"),
    [
        ({"code": "ABC"}, 422, "invalid-field", "$.code"),
        ({"proof": "AAAA"}, 422, "invalid-field", "$.proof"),
        ({"hardware_id": "x"}, 422, "invalid-field", "$.hardware_id"),
        ({"platform": "amiga"}, 422, "invalid-field", "$.platform"),
    ],
)
def test_a_field_that_cannot_be_is_named(
    collector: RunningCollector, change: dict[str, str], status: int, kind: str, field: str
) -> None:
    sound = msgspec.to_builtins(Newcomer().request("aaaaaa.aaaaaaaaaaaaaaaa"))
    response = httpx.post(collector.url + "/v1/enrolments", json=sound | change)
    assert problem(response, status, kind)["field"] == field


def test_a_body_that_is_none_is_refused(collector: RunningCollector) -> None:
    for body in (b"", b"{", b"\xff\xfe", b"[" * 5_000):
        problem(httpx.post(collector.url + "/v1/enrolments", content=body), 400, "malformed")
    problem(httpx.post(collector.url + "/v1/enrolments", content=b"x" * 100_000), 413, "body-too-large")


def test_a_code_cannot_be_guessed_at_speed(registry: Registry, collector: RunningCollector) -> None:
    code = new_code(registry)
    wrong = code[:7] + "0" * 16
    answers = [ask(collector, Newcomer(41).request(wrong)) for _ in range(12)]
    assert {response.status_code for response in answers} == {404, 429}
    limited = answers[-1]
    problem(limited, 429, "too-many-requests")
    assert 1 <= int(limited.headers["Retry-After"]) <= 10
    assert collector.metric('mektep_enrolments_total{outcome="too-many-requests"}') >= 1


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer mkd_x", "Bearer \xe9"])
def test_no_assignment_without_a_token(collector: RunningCollector, header: str) -> None:
    response = httpx.get(collector.url + "/v1/assignment", headers={b"Authorization": header.encode("latin-1")})
    problem(response, 401, "unauthorised")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"0", "{}"'])
def test_an_unchanged_assignment_is_not_sent_again(registry: Registry, collector: RunningCollector, form: str) -> None:
    grant = decode(EnrolmentGrant, ask(collector, Newcomer(51).request(new_code(registry))).content)
    bearer = f"Bearer {grant.token}"
    version = collector.get("/v1/assignment", Authorization=bearer).headers["ETag"].strip('"')
    again = collector.get("/v1/assignment", Authorization=bearer, If_None_Match=form.format(version))
    assert again.status_code == 304
    other = collector.get("/v1/assignment", Authorization=bearer, If_None_Match='"1"')
    assert other.status_code == 200
