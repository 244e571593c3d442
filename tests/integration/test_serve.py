"""The whole of `mektep-collector serve`, as its user meets it: real processes, real sockets, its own commands."""

import base64
import gzip
import json
import os
import signal
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mektep_wire import (
    Assignment,
    EnrolmentGrant,
    FateOutcome,
    Purpose,
    Receipt,
    SignedAssignment,
    decode,
    encode,
    signing_input,
)
from tests.support.certificate import make_certificate
from tests.support.newcomer import Newcomer
from tests.support.running_collector import answer, await_that, command, program, running_collector
from tests.support.school_device import SchoolDevice

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "schools.csv"
SCHOOL = "000000000001"
FREE_PORTS = ("--ndt7-port", "0", "--echo-port", "0")


def test_from_an_empty_directory_to_a_reading_that_counts(tmp_path: Path) -> None:
    program("schools", "import", str(EXAMPLE), "--yes", data_dir=tmp_path)
    with running_collector(tmp_path, *FREE_PORTS) as collector:
        (code,) = answer("code", "new", SCHOOL, data_dir=tmp_path)["codes"]
        device = SchoolDevice()
        newcomer = Newcomer()
        newcomer.key, newcomer.public_key = device.key, device.record.public_key
        enrolled = httpx.post(collector.url + "/v1/enrolments", content=encode(newcomer.request(code["code"])))
        assert enrolled.status_code == 201, enrolled.text
        grant = decode(EnrolmentGrant, enrolled.content)
        assert grant.school_name == "Example school No. 1 (invented)"

        asked = collector.get("/v1/assignment", Authorization=f"Bearer {grant.token}")
        signed = decode(SignedAssignment, asked.content)
        key = Ed25519PublicKey.from_public_bytes(grant.collector_public_key)
        key.verify(signed.signature, signing_input(Purpose.ASSIGNMENT, signed.payload))
        assignment = decode(Assignment, signed.payload)
        assert assignment.device_id == grant.device_id
        assert {target.address for target in assignment.targets} == {collector.ready["ndt7"], collector.ready["echo"]}
        assert asked.headers["ETag"] == f'"{assignment.version}"'
        again = collector.get(
            "/v1/assignment", Authorization=f"Bearer {grant.token}", If_None_Match=asked.headers["ETag"]
        )
        assert (again.status_code, again.content) == (304, b"")

        device.token = grant.token
        now = datetime.now(UTC)
        body = device.batch([device.reading(seq, now) for seq in range(1, 13)], now, device_id=grant.device_id)
        packed = gzip.compress(body)
        for outcome in (FateOutcome.STORED, FateOutcome.DUPLICATE):
            posted = httpx.post(collector.url + "/v1/readings", content=packed, headers=device.headers(packed))
            receipt = decode(Receipt, posted.content)
            assert [fate.outcome for fate in receipt.fates] == [outcome] * 12
            assert receipt.assignment_version == assignment.version
        assert collector.metric("mektep_journal_stored_readings") == 12
        assert collector.metric("mektep_journal_duplicate_readings") == 12
        await_that(lambda: collector.metric("mektep_store_readings") == 12, "the store takes in what was accepted")
        for page in ("/", f"/schools/{SCHOOL}"):
            shown = collector.get(page)
            assert (shown.status_code, shown.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert "Example school No. 1 (invented)" in shown.text
            assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
            test_address = collector.ready["ndt7"].replace("ws://", "http://") + "/test"
            assert f'href="{test_address}"' in shown.text
            assert "measure-start" in httpx.get(test_address, timeout=10).text
        assert collector.get("/schools/nobody").status_code == 404
        assert collector.get("/health/ready").json()["checks"] == {
            "journal": "ok", "store": "ok", "measure_server": "ok",
        }  # fmt: skip

        command("devices", "revoke", grant.device_id, data_dir=tmp_path)
        (listed,) = answer("devices", data_dir=tmp_path)["devices"]
        assert (listed["status"], base64.b64decode(listed["public_key"])) == ("revoked", device.record.public_key)
        assert collector.end() == 0
    (listed,) = answer("devices", data_dir=tmp_path)["devices"]
    assert listed["last_seen_at"] is not None
    with running_collector(tmp_path, "--no-measure") as collector:
        assert collector.metric("mektep_store_readings") == 12
        refused = httpx.post(collector.url + "/v1/readings", content=packed, headers=device.headers(packed))
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:mektep-meter:problem:device-revoked")


def test_the_measuring_server_comes_back_on_its_ports_and_leaves_with_its_parent(tmp_path: Path) -> None:
    with running_collector(tmp_path, *FREE_PORTS) as collector:
        port = int(collector.ready["ndt7"].rpartition(":")[2])
        parent = psutil.Process(collector.process.pid)
        (measuring,) = parent.children()
        measuring.kill()
        await_that(lambda: collector.get("/health/ready").status_code == 503, "readiness tells of the loss")
        problem = collector.get("/health/ready").json()
        assert problem["type"] == "urn:mektep-meter:problem:unavailable"
        await_that(lambda: collector.get("/health/ready").status_code == 200, "the measuring server comes back")
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        (measuring,) = parent.children()
        collector.process.kill()
        collector.process.wait(10)
        measuring.wait(10)


def test_it_ends_in_good_order_when_it_is_told_to(tmp_path: Path) -> None:
    with running_collector(tmp_path, *FREE_PORTS) as collector:
        children = psutil.Process(collector.process.pid).children(recursive=True)
        assert collector.end(signal.SIGINT) == 0
        assert not any(child.is_running() for child in children)
    events = [json.loads(line)["event"] for line in collector.log]
    assert events == ["collector_ready", "told_to_end", "collector_ended"]


def test_over_tls_everything_is_secure(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    tls = ("--tls-cert", str(files.certificate), "--tls-key", str(files.key), "--ndt7-tls-port", "0")
    with running_collector(tmp_path / "data", *tls, *FREE_PORTS, "--public-url", "https://localhost") as collector:
        assert collector.url == "https://localhost"
        assert collector.ready["ndt7"].startswith("wss://localhost:")
        trusted = ssl.create_default_context(cafile=str(files.certificate))
        live = httpx.get(f"https://localhost:{collector.ready['port']}/health/live", verify=trusted)
        assert live.json() == {"status": "live"}
        assert live.headers["Strict-Transport-Security"]


def test_plain_http_beyond_this_computer_is_refused(tmp_path: Path) -> None:
    refused = program("serve", "--host", "0.0.0.0", data_dir=tmp_path, expect=2)  # noqa: S104 (what is refused)
    assert "tokens would cross the network in the clear" in refused.stderr
    nameless = program("serve", "--host", "0.0.0.0", "--port", "0", "--insecure-http", data_dir=tmp_path, expect=2)  # noqa: S104
    assert "`public_url`" in nameless.stderr


def test_what_stands_in_the_way_at_the_start_is_told(tmp_path: Path) -> None:
    with running_collector(tmp_path, "--no-measure") as collector:
        taken = str(collector.ready["port"])
        assert "cannot be listened on" in program("serve", "--port", taken, data_dir=tmp_path, expect=1).stderr
        second = program("serve", "--port", "0", "--no-measure", data_dir=tmp_path, expect=1)
        assert "another process uses the journal" in second.stderr
        other = tmp_path / "other"
        measure = program("serve", "--port", "0", "--ndt7-port", taken, data_dir=other, expect=1)
        assert "the measuring server did not start" in measure.stderr
        assert "Traceback" not in measure.stderr


def test_it_starts_again_after_it_was_killed(tmp_path: Path) -> None:
    for _ in range(2):
        with running_collector(tmp_path, "--no-measure") as collector:
            os.kill(collector.process.pid, signal.SIGKILL)
            collector.process.wait(10)
    with running_collector(tmp_path, "--no-measure") as collector:
        assert collector.get("/health/ready").status_code == 200


def test_every_answer_keeps_the_browser_in_bounds(tmp_path: Path) -> None:
    with running_collector(tmp_path, "--no-measure") as collector:
        for path in ("/health/live", "/nothing", "/v1/assignment", "/docs", "/metrics"):
            headers = collector.get(path).headers
            assert "default-src 'none'" in headers["Content-Security-Policy"], path
            assert "unsafe" not in headers["Content-Security-Policy"], path
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "Server" not in headers
        for method, path, status in (("GET", "/nothing", 404), ("DELETE", "/v1/readings", 405), ("POST", "/docs", 405)):
            found = httpx.request(method, collector.url + path)
            assert (found.status_code, found.headers["Content-Type"]) == (status, "application/problem+json")
            assert msgspec.json.decode(found.content)["advice"]
        assert collector.metric('mektep_http_requests_total{method="any",route="none",status="404"}') == 2
