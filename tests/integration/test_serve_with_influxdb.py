"""`serve --store influxdb`, as its operator meets it: readings arrive while InfluxDB is away, and show afterwards."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from mektep_wire import EnrolmentGrant, decode, encode
from tests.support.newcomer import Newcomer
from tests.support.peers.influxd import free_port, influxd_obstacle, running_influxd
from tests.support.requirement import require
from tests.support.running_collector import RunningCollector, answer, await_that, program, running_collector
from tests.support.school_device import SchoolDevice

pytestmark = pytest.mark.peer
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "schools.csv"
SCHOOL = "000000000001"


def _enrolled(collector: RunningCollector) -> tuple[SchoolDevice, str]:
    (code,) = answer("code", "new", SCHOOL, data_dir=collector.data_dir)["codes"]
    device, newcomer = SchoolDevice(), Newcomer()
    newcomer.key, newcomer.public_key = device.key, device.record.public_key
    granted = httpx.post(collector.url + "/v1/enrolments", content=encode(newcomer.request(code["code"])))
    grant = decode(EnrolmentGrant, granted.content)
    device.token = grant.token
    return device, grant.device_id


def test_an_outage_of_influxdb_loses_nothing_and_is_said_on_the_pages(tmp_path: Path) -> None:
    obstacle = influxd_obstacle()
    require(obstacle is None, str(obstacle))
    program("schools", "import", str(EXAMPLE), "--yes", data_dir=tmp_path)
    port = free_port()
    settings = tmp_path / "settings.toml"
    settings.write_text(f'store = "influxdb"\ninfluxdb_url = "http://127.0.0.1:{port}"\n')
    options = ("--config", str(settings), "--no-measure")
    with running_collector(tmp_path, *options) as collector:
        device, device_id = _enrolled(collector)
        now = datetime.now(UTC)
        body = gzip.compress(device.batch([device.reading(seq, now) for seq in range(1, 13)], now, device_id=device_id))
        posted = httpx.post(collector.url + "/v1/readings", content=body, headers=device.headers(body))
        assert posted.status_code == 200, posted.text
        page = collector.get(f"/schools/{SCHOOL}", Accept_Language="en")
        assert (page.status_code, page.headers["Retry-After"]) == (503, "30")
        assert "The results cannot be shown at the moment" in page.text
        assert collector.get("/health/ready").status_code == 503

        with running_influxd(tmp_path, port=port):
            await_that(lambda: collector.metric("mektep_store_readings") == 12, "InfluxDB takes in what waited")
            page = collector.get(f"/schools/{SCHOOL}", Accept_Language="en")
            assert page.status_code == 200
            assert "Mbit/s" in page.text
            await_that(lambda: collector.get("/health/ready").status_code == 200, "the collector is ready")
            assert collector.metric("mektep_store_dead_letters") == 0
    assert any("store_out_of_reach" in line for line in collector.log)
