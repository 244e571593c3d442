"""Clients that are not ours against our measuring server: speedtest-cli in Mini mode, and LibreSpeed's own client."""

import pytest

from mektep_collector.measure.specification import Timing
from tests.support.peers import librespeed_cli, speedtest_cli
from tests.support.peers.result import PeerMissingError
from tests.support.requirement import require
from tests.support.running_measure_server import measure_server

pytestmark = [pytest.mark.peer, pytest.mark.alone]

SECONDS = 2


def test_speedtest_cli_measures_both_ways_against_the_mini_endpoints() -> None:
    with measure_server(timing=Timing()) as server:
        try:
            ran = speedtest_cli.run(None, f"http://127.0.0.1:{server.ready.ndt7_port}", SECONDS)
        except PeerMissingError as missing:
            require(False, str(missing))
        downloaded = server.count("mektep_measure_web_payload_bytes_total", direction="download")
        uploaded = server.count("mektep_measure_web_payload_bytes_total", direction="upload")
    assert ran.download_mbps > 50
    assert ran.upload_mbps > 20
    assert downloaded > 1e7
    assert uploaded > 1e6
    assert ran.cpu_s > 0
    assert ran.rss_bytes > 1e7


def test_librespeeds_own_client_measures_both_ways() -> None:
    try:
        librespeed_cli.program()
    except PeerMissingError as missing:
        require(False, str(missing))
    with measure_server(timing=Timing()) as server:
        ran = librespeed_cli.run(None, f"http://127.0.0.1:{server.ready.ndt7_port}", SECONDS)
        downloaded = server.count("mektep_measure_web_payload_bytes_total", direction="download")
        uploaded = server.count("mektep_measure_web_payload_bytes_total", direction="upload")
    assert ran.download_mbps * 1e6 / 8 * SECONDS == pytest.approx(downloaded, rel=0.3)
    assert ran.upload_mbps * 1e6 / 8 * SECONDS == pytest.approx(uploaded, rel=0.3)
