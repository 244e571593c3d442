"""Our measuring server as M-Lab's own JavaScript client sees it, both directions, over `ws` and `wss`."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from mektep_collector.measure.settings import TlsFiles
from mektep_collector.measure.specification import Timing
from tests.support.certificate import make_certificate
from tests.support.mlab_ndt7.client import PeerMissingError, Result, Transfer, command, decode
from tests.support.requirement import require
from tests.support.running_measure_server import SETTINGS, measure_server

pytestmark = pytest.mark.alone

_CLIENT_TIMEOUT_S = 60


def _run(server: str, protocol: str, certificate: Path) -> Result:
    try:
        words = command(server, protocol)
    except PeerMissingError as missing:
        require(False, str(missing))
        raise
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=_CLIENT_TIMEOUT_S,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return decode(done.stdout)


Results = dict[str, Result]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What the client says over each protocol; both against one server, which counts them."""
    files = make_certificate(tmp_path_factory.mktemp("certificate"))
    settings = msgspec.structs.replace(SETTINGS, tls=TlsFiles(files.certificate, files.key))
    with measure_server(settings, Timing()) as server:
        ports = {"ws": server.ready.ndt7_port, "wss": server.ready.ndt7_tls_port}
        # One after the other: side by side they starve each other on two processors, and the first installs the client.
        found = {protocol: _run(f"localhost:{port}", protocol, files.certificate) for protocol, port in ports.items()}
        for direction in ("download", "upload"):
            ended = {
                outcome: server.count("mektep_measure_tests_total", direction=direction, outcome=outcome)
                for outcome in ("completed", "client_closed", "closing_unanswered")
            }
            assert sum(ended.values()) == len(ports), ended
    return found


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["ws", "wss"])
def test_m_lab_s_client_is_content_in_both_directions(results: Results, protocol: str) -> None:
    result = results[protocol]
    assert (result.code, result.errors) == (0, [])
    for transfer in (result.download, result.upload):
        _check(transfer)


def _check(transfer: Transfer | None) -> None:
    """The client's figure and the server's agree, and came from a whole test that was measured all along."""
    assert transfer is not None
    assert transfer.client_messages >= 30
    assert transfer.server_messages >= 16, "a tick comes every 625 ms at least"
    assert transfer.client_mbps is not None
    assert transfer.server_mbps is not None
    assert transfer.client_mbps > 10
    assert transfer.server_mbps == pytest.approx(transfer.client_mbps, rel=0.1)
