"""`mektep-collector measure-server` as a program: its ready line, its ends, what it says when it cannot start."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.raw_websocket import BINARY, DOWNLOAD, RawClient

pytestmark = pytest.mark.alone

PROGRAM = Path(sys.executable).with_name("mektep-collector")
FREE_PORTS = ("--bind", "127.0.0.1", "--ndt7-port", "0", "--echo-port", "0", "--metrics-port", "0")
_WAIT_S = 30.0


@contextmanager
def _program(*options: str) -> Generator[subprocess.Popen[str], None, None]:
    process = subprocess.Popen(
        [str(PROGRAM), "measure-server", *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=_WAIT_S)


def _ready(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    ready: dict[str, object] = json.loads(process.stdout.readline())
    assert ready["event"] == "measure_server_ready"
    return ready


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_serves_and_ends_when_told(told: signal.Signals) -> None:
    with _program(*FREE_PORTS) as process:
        ready = _ready(process)
        assert ready["addresses"] == ["127.0.0.1"]
        assert ready["ndt7_tls_port"] is None
        with RawClient(int(str(ready["ndt7_port"]))) as client:
            client.open(DOWNLOAD)
            assert next(client.frames()).opcode == BINARY
            process.send_signal(told)
            assert process.wait(_WAIT_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_it_ends_with_its_standard_input_where_asked() -> None:
    with _program(*FREE_PORTS, "--stop-with-stdin") as process:
        _ready(process)
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        assert process.wait(_WAIT_S) == 0


def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        options = ["--bind", "127.0.0.1", "--ndt7-port", port, "--echo-port", "0", "--metrics-port", "0"]
        done = subprocess.run(
            [str(PROGRAM), "measure-server", *options], capture_output=True, text=True, check=False, timeout=_WAIT_S
        )
    assert done.returncode == 1
    assert f"TCP port {port} of 127.0.0.1 cannot be opened" in done.stderr
    assert "choose another port" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--tls-cert", "only.pem"], 2, "belong"),
        (["--max-tests", "0"], 2, "max-tests"),
        ([*FREE_PORTS, "--congestion-control", "no-such"], 1, "no congestion control `no-such`"),
        ([*FREE_PORTS, "--bind", "203.0.113.77"], 1, "203.0.113.77"),
    ],
)
def test_settings_that_cannot_be_are_refused(options: list[str], code: int, words: str) -> None:
    done = subprocess.run(
        [str(PROGRAM), "measure-server", *options], capture_output=True, text=True, check=False, timeout=_WAIT_S
    )
    assert done.returncode == code
    assert words in done.stderr
