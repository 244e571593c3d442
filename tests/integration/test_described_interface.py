"""The interface does what it says of itself: Schemathesis draws requests from the description and holds answers to it.

Sound and unsound data, borders of every field first and then at random; once as a device that signs what it sends and
once as a stranger. What is spoilt further inside a signed body is `tests/support/fuzz_acceptance.py`'s.
"""

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis.engine import Status, events, from_schema
from schemathesis.schemas import BaseSchema

from mektep_collector.api.assignment_content import MeasuringPoints
from mektep_collector.api.metrics import new_metrics
from mektep_collector.api.readings import PATH as READINGS
from mektep_collector.app import Parts, create_app
from mektep_collector.config import Config
from mektep_collector.journal.journal import Journal
from mektep_collector.registry.registry import DATABASE, Registry
from mektep_wire import Batch, EnrolmentRequest, Purpose, TokenRequest, encode, format_signature, pack, signing_input
from mektep_wire.renewal import RENEWAL_NONCE_BYTES
from mektep_wire.signature import SIGNATURE_HEADER
from tests.support.newcomer import Newcomer
from tests.support.school_device import SchoolDevice
from tests.support.school_table import EXAMPLE, registry_with
from tests.support.serving import serving
from tests.support.set_time import SetTime

OPERATIONS = {
    "POST /v1/enrolments",
    "GET /v1/assignment",
    "POST /v1/leases",
    "DELETE /v1/leases/{lease_id}",
    "POST /v1/readings",
    "POST /v1/tokens",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
}
DRAWN_COUNT = 8
"""Of each operation at random, after the borders."""
SETTINGS: dict[str, Any] = {
    "generation": {"max-examples": DRAWN_COUNT, "deterministic": True, "database": "none"},
    "phases": {"stateful": {"enabled": False}},
    "checks": {"not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]}},
    "continue-on-failure": True,
    "request-timeout": 20.0,
}
TOKENS = "/v1/tokens"
SIGNED: dict[str, Any] = {
    "phases": {"coverage": {"generation": {"mode": "positive"}}},
    "checks": {
        # That the columns of a batch belong together, no schema can say; and the signature is there, drawn or not.
        "positive_data_acceptance": {"enabled": False},
        "negative_data_rejection": {"enabled": False},
    },
}
UNSIGNED: dict[str, Any] = {
    "phases": {"coverage": {"enabled": False}},  # no field is looked at before who sends is known
}


class Impatient(SetTime):
    """A clock that nobody has to wait for: every look at it comes an hour later, so that no limit is ever reached."""

    def monotonic_s(self) -> float:
        self._monotonic_s += 3_600.0
        return self._monotonic_s


class Device(AuthBase):
    """A computer of a school: it bears its token, and signs batches and requests for a new token as they are sent.

    A sound batch is made this device's own, so that it is not refused as another's, and every other one brings readings
    that were made, for drawn columns seldom belong together. A sound enrolment is made that of another computer that
    has a code, a sound request for a token one of this device and moment.
    """

    def __init__(
        self, computer: Newcomer, enrolment: EnrolmentRequest, device_id: str, token: str, time: SetTime
    ) -> None:
        self._computer = computer
        self._enrolment = enrolment
        self._id = device_id
        self._token = token
        self._time = time
        self._nonces = count(1)
        made = SchoolDevice(1)
        self._readings = pack([encode(made.reading(seq)) for seq in range(1, 13)])
        self._brings_made = cycle((True, False))

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Return the request as it goes out."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        drawn = request.body or b""
        body = drawn.encode() if isinstance(drawn, str) else drawn
        assert isinstance(body, bytes)
        if request.path_url.startswith(READINGS):
            body = self._own(body, Batch)
            if request.headers.get("Content-Encoding") == "gzip":
                body = gzip.compress(body, mtime=0)
            self._sign(request, Purpose.BATCH, body)
        elif request.path_url.startswith(TOKENS):
            body = self._own(body, TokenRequest)
            self._sign(request, Purpose.TOKEN, body)
        elif request.path_url.startswith("/v1/enrolments"):
            body = self._own(body, EnrolmentRequest)
        if body != drawn:
            request.prepare_body(body, None)
        return request

    def _sign(self, request: PreparedRequest, purpose: Purpose, body: bytes) -> None:
        signature = self._computer.key.sign(signing_input(purpose, body))
        request.headers[SIGNATURE_HEADER] = format_signature(signature)

    def _own(self, body: bytes, kind: type[Batch | EnrolmentRequest | TokenRequest]) -> bytes:
        try:
            sound = msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return body
        if isinstance(sound, EnrolmentRequest):
            return encode(self._enrolment)
        if isinstance(sound, TokenRequest):
            nonce = next(self._nonces).to_bytes(RENEWAL_NONCE_BYTES, "big")
            return encode(TokenRequest(device_id=self._id, asked_at=self._time.now(), nonce=nonce))
        readings = self._readings if next(self._brings_made) else sound.readings
        return encode(msgspec.structs.replace(sound, device_id=self._id, readings=readings))


class Interface:
    """A collector that serves, and a device of it."""

    def __init__(self, url: str, device: Device, registry: Registry, database: Path) -> None:
        self.url = url
        self.device = device
        self._registry = registry
        self._database = database

    @contextmanager
    def without_register(self) -> Iterator[None]:
        """Take the register's database away for the block."""
        self._registry.close()  # lets go of the connections that it keeps
        aside = self._database.with_suffix(".aside")
        self._database.rename(aside)
        self._database.mkdir()
        yield
        self._database.rmdir()
        aside.rename(self._database)

    def described(self, **settings: object) -> BaseSchema:
        """Return its description, to draw requests from."""
        config = schemathesis.Config.from_dict({**SETTINGS, **settings})
        return schemathesis.openapi.from_url(f"{self.url}/openapi.json", config=config)


@pytest.fixture(scope="module")
def interface(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interface]:
    folder, time = tmp_path_factory.mktemp("collector"), Impatient()
    with registry_with(folder, time, EXAMPLE) as registry:
        computer, other = Newcomer(1), Newcomer(2)
        codes = registry.codes.issue("0007", 2, timedelta(hours=1), time.now())
        enrolled = registry.enrolment.enrol(computer.request(codes[0].code), time.now())
        journal = Journal(folder / "journal")
        parts = Parts(
            config=Config(),
            registry=registry,
            journal=journal,
            points=MeasuringPoints(ndt7_url="ws://measure.example:8081", echo_url="udp://measure.example:8082"),
            checks={"journal": lambda: None},
            metrics=new_metrics(),
            time=time,
        )
        with serving(create_app(parts)) as (host, port):
            device = Device(computer, other.request(codes[1].code), enrolled.device.id, enrolled.token, time)
            yield Interface(f"http://{host}:{port}", device, registry, folder / DATABASE)
        journal.close()


class Course:
    """What came of a run: whom it asked, what was answered, and what was found wrong."""

    def __init__(self, schema: BaseSchema) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.asked: set[str] = set()
        self.faults: list[str] = []
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                self._take(event)
            elif isinstance(event, events.NonFatalError):
                self.faults.append(f"{event.label}: {event.value}")
            elif isinstance(event, events.FatalError):
                raise event.exception

    def _take(self, event: events.ScenarioFinished) -> None:
        record = event.recorder
        for case_id, interaction in record.interactions.items():
            label = record.cases[case_id].value.operation.label
            self.asked.add(label)
            if interaction.response is not None:
                self.answers[label, interaction.response.status_code] += 1
        for checks in record.checks.values():
            for check in checks:
                if check.status is not Status.SUCCESS and check.failure_info is not None:
                    told = check.failure_info
                    self.faults.append(f"{check.name}: {told.failure.message}\n{told.code_sample}")

    def statuses(self, label: str) -> set[int]:
        """Return what an operation was seen to answer."""
        return {status for asked, status in self.answers if asked == label}


def _shown(faults: Sequence[str]) -> str:
    return "\n\n".join(fault[:2_000] for fault in faults[:5])


@pytest.mark.slow
def test_a_device_is_answered_as_the_description_says(interface: Interface) -> None:
    schema = interface.described(operations=[{"include-path": path, **SIGNED} for path in (READINGS, TOKENS)])
    schema.auth.set_from_requests(interface.device)
    course = Course(schema)
    assert not course.faults, _shown(course.faults)
    assert course.asked == OPERATIONS
    for label in OPERATIONS:
        assert course.statuses(label) & {200, 201, 204}, f"{label} was never answered with what it is for"
    assert course.statuses("POST /v1/readings") >= {200, 401, 422}, "the signature was passed"


@pytest.mark.slow
def test_a_stranger_is_answered_as_the_description_says(interface: Interface) -> None:
    unsigned = [{"include-path": path, **UNSIGNED} for path in (READINGS, TOKENS)]
    course = Course(interface.described(operations=unsigned))
    assert not course.faults, _shown(course.faults)
    assert course.asked == OPERATIONS
    for label in (
        "GET /v1/assignment", "POST /v1/leases", "DELETE /v1/leases/{lease_id}", "POST /v1/readings", "POST /v1/tokens",
    ):  # fmt: skip
        assert course.statuses(label) <= {401, 405}, f"{label} let a stranger in"


@pytest.mark.slow
def test_a_register_that_is_away_is_told_as_the_description_says(interface: Interface) -> None:
    schema = interface.described(phases={"coverage": {"enabled": False}, "stateful": {"enabled": False}})
    schema.auth.set_from_requests(interface.device)
    with interface.without_register():
        course = Course(schema)
    assert not course.faults, _shown(course.faults)
    for label in ("POST /v1/enrolments", "GET /v1/assignment", "POST /v1/leases", "DELETE /v1/leases/{lease_id}"):
        assert 503 in course.statuses(label), f"{label} was answered without a register"
