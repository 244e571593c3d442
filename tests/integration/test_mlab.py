"""Tests by M-Lab's rules against a Locate of our own: real HTTP, a real NDT7 server, no word of the school."""

import asyncio
import json
import random
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from mektep_agent.config import LocalTargets
from mektep_agent.config.settings import MlabDataPolicy
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.engines.assigned import Reach
from mektep_agent.mlab.consent import Consent
from mektep_agent.mlab.policy import MlabLog
from mektep_agent.mlab.probe import MlabProbe
from mektep_agent.probes.probe import Probe, Run
from mektep_wire import FailureKind, Outcome, ProbeName, Reading, SkipReason, Trigger
from tests.support.agent_time import BOOT, SetTime, a_reading
from tests.support.certificate import make_certificate

ADDRESS = "wss://ndt-example.test:4443/ndt/v7/download?access_token=secret&index=0&locate_version=v2"
FOUND = json.dumps({"results": [{"machine": "example", "urls": {"wss:///ndt/v7/download": ADDRESS}}]}).encode()
HERE = Reach(local_targets=LocalTargets.ALLOWED)
CONSENT = Consent(MlabDataPolicy.ACCEPTED)


class Locate:
    """A Locate that answers by script and remembers what it was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        locate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                locate.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, body, headers = locate.answers.pop(0) if locate.answers else (200, FOUND, {})
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v2/nearest/ndt/ndt7"
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
            self.url = f"https://localhost:{self.server.server_port}/v2/nearest/ndt/ndt7"


@pytest.fixture
def locate() -> Iterator[Locate]:
    with serving(Locate()) as made:
        yield made


@contextmanager
def serving(made: Locate) -> Iterator[Locate]:
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


class Measured:
    """Stands where the throughput probe stands, and remembers where to."""

    name = ProbeName.THROUGHPUT

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def at(self, address: str) -> Probe:
        self.addresses.append(address)
        return self

    async def run(self, run: Run) -> Sequence[Reading]:
        reading = a_reading(random.Random(1), probe=ProbeName.THROUGHPUT)
        return [msgspec.structs.replace(reading, target=self.addresses[-1])]


class School:
    """A school that measures against `locate`."""

    def __init__(self, url: str, place: Path, reach: Reach = HERE) -> None:
        self.reach = reach
        self.time = SetTime()
        self.measured = Measured()
        self.folder = StateFolder(place)
        self.url = url

    def run(self) -> Sequence[Reading]:
        # Made anew for each run, as after a restart: what holds the rules is on disk.
        probe = MlabProbe(CONSENT, self.url, self.measured.at, self.folder, self.time, random.Random(3), self.reach)
        return asyncio.run(probe.run(Run(trigger=Trigger.SLOT, boot_id=BOOT, slot="2026-11-23/1")))


@pytest.fixture
def school(locate: Locate, tmp_path: Path) -> School:
    return School(locate.url, tmp_path)


def _skips(readings: Sequence[Reading]) -> list[SkipReason | None]:
    return [reading.skip for reading in readings]


def test_a_server_is_asked_for_and_measured_and_its_token_is_kept_from_the_reading(
    school: School, locate: Locate
) -> None:
    (reading,) = school.run()
    assert school.measured.addresses == [ADDRESS]
    assert (reading.outcome, reading.target) == (Outcome.OK, "wss://ndt-example.test:4443")
    ((path, headers),) = locate.asked
    assert dict(parse_qsl(urlsplit(path).query)).keys() == {"client_name", "client_version"}
    assert headers.keys() <= {"host", "user-agent", "accept", "accept-encoding", "connection"}


def test_a_second_test_waits_its_time_whatever_restarts_between(school: School, locate: Locate) -> None:
    school.run()
    for _ in range(3):
        school.time.pass_s(600.0)
        assert _skips(school.run()) == [SkipReason.TARGET_POLICY] * 2
    assert len(locate.asked) == 1, "M-Lab is not even asked"
    school.time.pass_s(54_000.0)
    assert school.run()[0].outcome is Outcome.OK


@pytest.mark.parametrize("status", [204, 429, 503])
def test_without_capacity_the_test_is_left_out_and_comes_later(school: School, locate: Locate, status: int) -> None:
    locate.answers = [(status, b"", {"Retry-After": "600"})]
    assert _skips(school.run()) == [SkipReason.TARGET_POLICY] * 2
    school.time.pass_s(300.0)
    assert _skips(school.run()) == [SkipReason.TARGET_POLICY] * 2
    assert len(locate.asked) == 1
    school.time.pass_s(301.0)
    assert school.run()[0].outcome is Outcome.OK


def test_a_redirect_is_followed(school: School, locate: Locate) -> None:
    locate.answers = [(307, b"", {"Location": "/v2/nearest/elsewhere"})]
    assert school.run()[0].outcome is Outcome.OK
    assert locate.asked[1][0] == "/v2/nearest/elsewhere"


def test_locate_is_known_by_its_name_though_it_is_reached_by_an_address_that_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    named: list[str | None] = []
    tls.sni_callback = lambda _link, name, _context: named.append(name)
    with serving(Locate(tls)) as secure:
        stranger = School(secure.url, tmp_path / "stranger").run()
        assert [one.failure and one.failure.kind for one in stranger] == [FailureKind.TLS_CERTIFICATE] * 2
        monkeypatch.setenv("SSL_CERT_FILE", str(files.certificate))
        assert School(secure.url, tmp_path / "school").run()[0].outcome is Outcome.OK
        ((_, headers),) = secure.asked
        assert headers["host"] == urlsplit(secure.url).netloc
        assert set(named) == {"localhost"}


def test_locate_sends_nobody_on_into_their_own_network(locate: Locate, tmp_path: Path) -> None:
    locate.answers = [(307, b"", {"Location": locate.url.replace("127.0.0.1", "127.0.0.2")})]
    readings = School(locate.url, tmp_path, Reach(collector_address="127.0.0.1")).run()
    assert [one.failure and one.failure.kind for one in readings] == [FailureKind.ENGINE_UNAVAILABLE] * 2
    assert len(locate.asked) == 1


def test_a_locate_out_of_reach_is_a_failure_of_the_network(tmp_path: Path) -> None:
    readings = School("http://127.0.0.1:9/v2/nearest/ndt/ndt7", tmp_path).run()
    assert [reading.failure and reading.failure.kind for reading in readings] == [FailureKind.CONNECTION_REFUSED] * 2


def test_a_damaged_log_counts_as_a_test_just_made(school: School, locate: Locate) -> None:
    school.folder.write(school.folder.mlab, b"{ half")
    assert _skips(school.run()) == [SkipReason.TARGET_POLICY] * 2
    log = msgspec.json.decode(school.folder.mlab.read_bytes(), type=MlabLog)
    assert log.next_at is not None
    assert log.next_at >= school.time.now() + timedelta(seconds=2_160)
    assert locate.asked == []
