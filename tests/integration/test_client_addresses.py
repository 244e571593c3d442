"""Of a client's address nothing is written down but the network of who was refused: in no log, no file, no metric."""

import json
import re
import socket
from pathlib import Path

import httpx
import pytest

from mektep_wire import encode
from tests.support.newcomer import Newcomer
from tests.support.running_collector import RunningCollector, await_that, program, running_collector

SCHOOLS = Path(__file__).parents[2] / "docs" / "examples" / "schools.csv"
HERE, NETWORK = "127.9.8.7", "127.9.8.0/24"
"""An address of this computer that no program takes by itself."""
FREE_PORTS = ("--ndt7-port", "0", "--echo-port", "0")


def _client(collector: RunningCollector, **headers: str) -> httpx.Client:
    """Return a client at HERE."""
    return httpx.Client(
        base_url=f"http://127.0.0.1:{collector.ready['port']}",
        transport=httpx.HTTPTransport(local_address=HERE),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        timeout=30,
    )


def _log_in_wrongly(client: httpx.Client) -> httpx.Response:
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', client.get("/login").text))
    # By hand, for a cookie that is for TLS alone does not go back to the proxy that stands in for it here.
    cookie = {"Cookie": f"mektep_form={fields['form_key']}"}
    told = {**fields, "login": "nobody", "password": "river lamp seven", "code": ""}
    return client.post("/login", data=told, headers=cookie)


def _knock_at_the_measuring_server(collector: RunningCollector) -> None:
    ndt7, echo = (int(collector.ready[name].rpartition(":")[2]) for name in ("ndt7", "echo"))
    with socket.create_connection(("127.0.0.1", ndt7), timeout=10, source_address=(HERE, 0)) as link:
        link.sendall(b"GET /ndt/v7/download HTTP/1.1\r\nHost: x\r\n\r\n")
        assert link.recv(1_000).startswith(b"HTTP/1.1 4")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind((HERE, 0))
        link.sendto(b"no echo of ours", ("127.0.0.1", echo))


def _logins_refused(collector: RunningCollector) -> list[str]:
    said = [json.loads(line) for line in collector.log if line.startswith("{")]
    return [line["network"] for line in said if line["event"] == "login_refused"]


def test_an_address_is_in_no_log_no_file_and_no_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEKTEP_COLLECTOR_LOG_LEVEL", "debug")
    monkeypatch.setenv("MEKTEP_COLLECTOR_PAGES_FOR", "people")
    program("schools", "import", str(SCHOOLS), "--yes", data_dir=tmp_path)
    with running_collector(tmp_path, *FREE_PORTS) as collector, _client(collector) as client:
        unknown = Newcomer(1).request("aaaaaa.aaaaaaaaaaaaaaaa")
        assert client.post("/v1/enrolments", content=encode(unknown)).status_code == 404
        for path in ("/v1/readings", "/v1/leases"):
            assert client.post(path, content=b"x", headers={"Authorization": "Bearer mkd_x"}).status_code == 401
        assert client.get("/nothing").status_code == 303
        assert client.post("/openapi.json").status_code == 405
        assert _log_in_wrongly(client).status_code == 401
        _knock_at_the_measuring_server(collector)
        shown = collector.get("/metrics").text + collector.get("/health/ready").text
        await_that(lambda: bool(_logins_refused(collector)), "the refused login is logged")
    assert _logins_refused(collector) == [NETWORK]
    assert HERE not in "".join(collector.log)
    assert HERE not in shown
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 3
    assert [file.name for file in files if HERE.encode() in file.read_bytes()] == []


def test_behind_a_trusted_proxy_the_client_is_who_the_proxy_saw_and_tls_is_wished_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEKTEP_COLLECTOR_PAGES_FOR", "people")
    monkeypatch.setenv("MEKTEP_COLLECTOR_TRUSTED_PROXIES", HERE)
    told = {"X_Forwarded_Proto": "https", "X_Forwarded_For": "203.0.113.66, 198.51.100.77"}
    with running_collector(tmp_path, "--no-measure") as collector, _client(collector, **told) as by_proxy:
        assert by_proxy.get("/health/live").headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "secure" in by_proxy.get("/login").headers["Set-Cookie"].lower()
        assert _log_in_wrongly(by_proxy).status_code == 401
        stranger = collector.get("/health/live", **told)
        assert "Strict-Transport-Security" not in stranger.headers, "anybody's word on TLS was taken"
        await_that(lambda: bool(_logins_refused(collector)), "the login is logged")
    assert _logins_refused(collector) == ["198.51.100.0/24"], "what the client itself claims to be was believed"
