"""No secret comes into a log, an error, a metric or a finding, whatever is asked and however it is refused.

The real programs work at their most talkative, with right and wrong tokens, signatures, passwords and codes; then all
that they said is searched for each secret in every form that it might have got there in.
"""

import base64
import gzip
import json
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import httpx
import pyotp
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.device import load_device
from mektep_collector.access.role import Role
from mektep_collector.access.scope import WHOLE_COUNTRY
from mektep_collector.registry.registry import KEY, open_registry
from mektep_wire import encode, format_signature
from tests.support.agent_program import Agent
from tests.support.newcomer import Newcomer
from tests.support.peers.postgresql import RunningPostgresql
from tests.support.running_collector import RunningCollector, program, running_collector
from tests.support.school_device import SchoolDevice
from tests.support.school_table import EXAMPLE, school_file
from tests.support.spilt import spilt

LOGIN = "kim"
SECRET = b"river+lamp/seven onion&9=?"


class Said:
    """All that was said where others may read it, and the secrets that were there to be said."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.secrets: dict[str, bytes] = {}

    def secret(self, name: str, text: str | bytes) -> None:
        self.secrets[name] = text.encode() if isinstance(text, str) else text

    def spilt(self) -> list[str]:
        return [f"{place}: {one}" for place, text in self.texts.items() for one in spilt(text, self.secrets)]


@contextmanager
def refusing_influxdb() -> Iterator[int]:
    """Answer as an InfluxDB that says what it is, and lets nobody in."""

    class Handler(BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = json.dumps({"error": "authorization failed", "code": "unauthorized"}).encode()
            self.send_response(401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = _refuse

        def do_GET(self) -> None:
            if not self.path.startswith("/ping"):
                self._refuse()
                return
            self.send_response(204)
            self.send_header("X-Influxdb-Version", "1.8.10")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _settings(folder: Path, said: Said, url: str, influxdb_port: int, by: str) -> Mapping[str, str]:
    """Write the files of secrets, and return the settings that name them."""
    kept = {"metrics_token_file": secrets.token_urlsafe(32)}
    settings = {"store": "influxdb", "influxdb_url": f"http://127.0.0.1:{influxdb_port}", "pages_for": "people"}
    if by == "password":
        kept["influxdb_password_file"] = "pass/word+" + secrets.token_urlsafe(16)
        settings["influxdb_user"] = "mektep"
    else:
        kept["influxdb_token_file"] = secrets.token_urlsafe(32) + "=="
    if url:
        kept["registry_password_file"] = "regis/ter+" + secrets.token_urlsafe(16)
        settings["registry_url"] = url
    for name, secret in kept.items():
        file = folder / name
        file.write_text(secret + "\n", "ascii")
        file.chmod(0o600)
        settings[name] = str(file)
        said.secret(name.removesuffix("_file"), secret)
    # An agent measures to where nothing listens: what it makes of that is sent all the same.
    nowhere = {"ndt7_url": "ws://127.0.0.1:9", "echo_url": "udp://127.0.0.1:9", "platforms": ""}
    return {**settings, **nowhere, "log_level": "debug", "log_form": "json"}


def _login(url: str, said: Said, login: str, password: str, code: str) -> str:
    """Log in as a browser does; return the session's cookie, empty where there is none."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as browser:
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', browser.get("/login").text))
        answer = browser.post("/login", data={**fields, "login": login, "password": password, "code": code})
        cookie = answer.cookies.get("mektep_session") or ""
        if cookie:
            said.secret("session cookie", cookie)
            page = browser.get("/").text
            said.secret("key of a form", re.findall(r'name="form_key" value="([^"]*)"', page)[0])
        return cookie


def _as_people_do(collector: RunningCollector, said: Said, totp: pyotp.TOTP) -> None:
    password = SECRET.decode()
    said.secret("password", password)
    said.secret("mistyped password", password + "x")
    assert not _login(collector.url, said, LOGIN, password + "x", totp.now())
    assert not _login(collector.url, said, LOGIN, password, "000000")
    assert _login(collector.url, said, LOGIN, password, totp.now())
    said.secret("foreign cookie", foreign := secrets.token_urlsafe(32))
    collector.get("/", Cookie=f"mektep_session={foreign}")
    token = said.secrets["metrics_token"].decode()
    for shown in (token, token + "x"):
        headers = {"Authorization": f"Bearer {shown}", "X-Forwarded-For": "203.0.113.9"}
        said.texts[f"metrics {len(shown)}"] = httpx.get(collector.url + "/metrics", headers=headers).text


def _as_a_device_does(collector: RunningCollector, said: Said, code: str) -> None:
    """Enrol and send with what is right and what is wrong, as any client may."""
    device, newcomer = SchoolDevice(5), Newcomer()
    newcomer.key, newcomer.public_key = device.key, device.record.public_key
    said.secret("key of a device", device.key.private_bytes_raw())
    wrong_code = code[:7] + "0" * 16
    said.secret("mistyped code", wrong_code)
    for sent in (newcomer.request(wrong_code), newcomer.request(code, proof_code=wrong_code)):
        said.texts[f"refusal of {len(said.texts)}"] = httpx.post(
            collector.url + "/v1/enrolments", content=encode(sent)
        ).text
    granted = httpx.post(collector.url + "/v1/enrolments", content=encode(newcomer.request(code))).json()
    device.token = granted["token"]
    said.secret("token of a device", device.token)
    said.secret("wrong token of a device", wrong := device.token[:-6] + "AAAAAA")
    now = datetime.now(UTC)
    body = gzip.compress(device.batch([device.reading(1, now)], now, device_id=granted["device_id"]))
    right = device.headers(body)
    for number, headers in enumerate(
        (
            right,
            {**right, "Mektep-Signature": format_signature(bytes(64))},
            {**right, "Mektep-Signature": device.token},
            {**right, "Authorization": f"Bearer {wrong}"},
            {**right, "Authorization": device.token},
        )
    ):
        answer = httpx.post(collector.url + "/v1/readings", content=body, headers=headers)
        assert (answer.status_code == 200) == (number == 0), answer.text
        said.texts[f"answer {number}"] = answer.text
    # A secret in the wrong place is asked for by an address, which metrics and refusals might show.
    for path in (f"/{quote(device.token)}", f"/v1/leases/{quote(device.token)}"):
        httpx.request("DELETE", collector.url + path, headers=right)


def _as_an_agent_does(collector: RunningCollector, said: Said, code: str, state: Path) -> None:
    agent = Agent(state, log_level="debug", startup_delay_max_s="0")

    def call(*arguments: str) -> None:
        done = agent.call(*arguments)
        said.texts[f"agent {' '.join(arguments[:2])} {len(said.texts)}"] = done.stdout + done.stderr

    call("enrol", collector.url, "--code", code[:7] + "1" * 16)
    call("enrol", collector.url, "--code", code)
    device = load_device(StateFolder(state))
    assert device is not None
    said.secret("token of the agent", device.token)
    said.secret("key of the agent", device.private_key)
    call("run", "--once", "--log-form", "json")
    identity = state / "identity.json"
    wrong = device.token[:-6] + "AAAAAA"
    said.secret("wrong token of the agent", wrong)
    identity.write_text(identity.read_text("utf-8").replace(device.token, wrong), "utf-8")
    call("run", "--once", "--log-form", "text")
    for command in (("status", "--json"), ("config", "show", "--origin"), ("enrol", collector.url, "--code", code)):
        call(*command)
    identity.write_text(identity.read_text("utf-8")[:-40], "utf-8")
    call("status")


@pytest.mark.slow
@pytest.mark.parametrize(
    "by",
    ["token", pytest.param("password", marks=pytest.mark.peer)],
    ids=["files and a token", "PostgreSQL and passwords"],
)
def test_no_secret_is_said_where_others_may_read_it(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    said, url = Said(), ""
    if by == "password":
        server: RunningPostgresql = request.getfixturevalue("postgresql")
        url = server.database()
    data, files = tmp_path / "data", tmp_path / "files"
    files.mkdir()
    with ExitStack() as opened:
        settings = _settings(files, said, url, opened.enter_context(refusing_influxdb()), by)
        for name, value in settings.items():
            monkeypatch.setenv(f"MEKTEP_COLLECTOR_{name.upper()}", value)
        registry = open_registry(data, url=url)
        try:
            registry.schools.take_in(school_file({}))
            registry.people.add(LOGIN, Role.ADMINISTRATOR, WHOLE_COUNTRY, SECRET.decode())
            totp = pyotp.parse_uri(registry.people.set_second_factor(LOGIN))
            codes = registry.codes.issue(EXAMPLE["school_id"], 2, timedelta(hours=1), datetime.now(UTC))
        finally:
            registry.close()
        assert isinstance(totp, pyotp.TOTP)
        said.secret("second factor", base64.b32decode(totp.secret))
        key = load_pem_private_key((data / KEY).read_bytes(), password=None)
        said.secret("key of the collector", key.private_bytes_raw())  # type: ignore[union-attr]
        for number, code in enumerate(codes):
            said.secret(f"code {number}", code.code)
        with running_collector(data, "--no-measure") as collector:
            _as_a_device_does(collector, said, codes[0].code)
            _as_an_agent_does(collector, said, codes[1].code, tmp_path / "agent")
            _as_people_do(collector, said, totp)
            for path in ("/health/live", "/health/ready", "/metrics", "/openapi.json"):
                said.texts[path] = collector.get(path).text
            said.texts["ready"] = json.dumps(collector.ready)
            for command in (("doctor",), ("config", "show", "--origin"), ("audit", "list"), ("people", "list")):
                done = program(*command, data_dir=data, expect=None)
                said.texts[" ".join(command)] = done.stdout + done.stderr
        said.texts["log of the collector"] = "".join(collector.log)
    assert said.spilt() == []
    assert '"level":"debug"' in said.texts["log of the collector"], "it was not at its most talkative"
    assert "login_refused" in said.texts["log of the collector"]
    assert "store_not_fed" in said.texts["log of the collector"]
    runs = [text for place, text in said.texts.items() if place.startswith("agent run")]
    assert "batch_sent" in runs[0]
    assert "batch_refused" in runs[1], "a wrong token was not refused"


@pytest.mark.parametrize(
    "written",
    [
        "{plain}",
        "{plain!r}",
        "{quoted}",
        "{hex}",
        "{HEX}",
        "{base64}",
        "Basic {basic}",
        "{urlsafe}",
        "{octets!r}",
        "{json}",
        "{base32}",
        "[{numbers}]",
    ],
)
def test_a_secret_is_found_in_every_form(written: str) -> None:
    plain = SECRET.decode()
    forms = {
        "plain": plain,
        "quoted": quote(plain, safe=""),
        "hex": SECRET.hex(),
        "HEX": SECRET.hex().upper(),
        "base64": base64.b64encode(SECRET).decode(),
        "basic": base64.b64encode(b"mektep:" + SECRET + b"\n").decode(),
        "urlsafe": base64.urlsafe_b64encode(SECRET).decode(),
        "octets": SECRET,
        "json": json.dumps(plain),
        "base32": base64.b32encode(SECRET).decode(),
        "numbers": ", ".join(str(octet) for octet in SECRET),
    }
    line = f'{{"event":"x","detail":"{written.format(**forms)}"}}'
    assert spilt(line, {"password": SECRET})
    assert not spilt(line, {"another": SECRET[::-1]})
