"""`serve` with its register in PostgreSQL: several collectors know the same devices, and its outage loses nothing."""

import gzip
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from mektep_wire import EnrolmentGrant, FateOutcome, Receipt, decode, encode
from tests.support.newcomer import Newcomer
from tests.support.peers.postgresql import RunningPostgresql
from tests.support.running_collector import RunningCollector, answer, await_that, program, running_collector
from tests.support.school_device import SchoolDevice

pytestmark = pytest.mark.peer
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "schools.csv"
SCHOOL = "000000000001"


def _settled(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command of the test find the register where it is."""
    folder.mkdir()
    settings = folder / "settings.toml"
    settings.write_text(f'registry_url = "{url}"\n')
    monkeypatch.setenv("MEKTEP_COLLECTOR_CONFIG", str(settings))


def _enrolled(collector: RunningCollector) -> tuple[SchoolDevice, str]:
    (code,) = answer("code", "new", SCHOOL, data_dir=collector.data_dir)["codes"]
    device, newcomer = SchoolDevice(), Newcomer()
    newcomer.key, newcomer.public_key = device.key, device.record.public_key
    granted = httpx.post(collector.url + "/v1/enrolments", content=encode(newcomer.request(code["code"])))
    grant = decode(EnrolmentGrant, granted.content)
    device.token = grant.token
    return device, grant.device_id


def _sent(collector: RunningCollector, device: SchoolDevice, device_id: str, seqs: range) -> set[FateOutcome]:
    now = datetime.now(UTC)
    body = gzip.compress(device.batch([device.reading(seq, now) for seq in seqs], now, device_id=device_id))
    posted = httpx.post(collector.url + "/v1/readings", content=body, headers=device.headers(body), timeout=30)
    assert posted.status_code == 200, posted.text
    return {fate.outcome for fate in decode(Receipt, posted.content).fates}


def test_two_collectors_know_the_same_devices(
    postgresql: RunningPostgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _settled(tmp_path / "settings", postgresql.database(), monkeypatch)
    first, second = tmp_path / "first", tmp_path / "second"
    program("schools", "import", str(EXAMPLE), "--yes", data_dir=first)
    shutil.copytree(first / "keys", second / "keys")
    with running_collector(first, "--no-measure") as one, running_collector(second, "--no-measure") as other:
        device, device_id = _enrolled(one)
        assert _sent(one, device, device_id, range(1, 13)) == {FateOutcome.STORED}
        assert _sent(other, device, device_id, range(13, 25)) == {FateOutcome.STORED}
        assert not (first / "registry.sqlite").exists()
        findings = answer("doctor", data_dir=first)["findings"]
        assert any("with tables" in each["seen"] for each in findings if each["subject"] == "registry")
        program("devices", "revoke", device_id, data_dir=first)
    with running_collector(second, "--no-measure") as other:
        refused = httpx.get(other.url + "/v1/assignment", headers={"Authorization": f"Bearer {device.token}"})
        assert refused.status_code == 403, "a device that was revoked at one collector is let in by no other"


def test_it_ends_in_good_order_while_postgresql_is_away(
    postgresql: RunningPostgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _settled(tmp_path / "settings", postgresql.database(), monkeypatch)
    data = tmp_path / "data"
    program("schools", "import", str(EXAMPLE), "--yes", data_dir=data)
    with running_collector(data, "--no-measure") as collector:
        device, device_id = _enrolled(collector)
        assert _sent(collector, device, device_id, range(1, 13)) == {FateOutcome.STORED}
        postgresql.stop("immediate")
        try:
            assert collector.end() == 0
        finally:
            postgresql.start()
    assert json.loads(collector.log[-1])["event"] == "collector_ended"


def test_what_a_device_sends_while_postgresql_is_away_is_kept(
    postgresql: RunningPostgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _settled(tmp_path / "settings", postgresql.database(), monkeypatch)
    data = tmp_path / "data"
    program("schools", "import", str(EXAMPLE), "--yes", data_dir=data)
    with running_collector(data, "--no-measure") as collector:
        device, device_id = _enrolled(collector)
        assert _sent(collector, device, device_id, range(1, 13)) == {FateOutcome.STORED}
        postgresql.stop("immediate")
        try:
            assert _sent(collector, device, device_id, range(13, 25)) == {FateOutcome.STORED}
            page = collector.get("/", Accept_Language="en")
            assert (page.status_code, page.headers["Retry-After"]) == (503, "30")
        finally:
            postgresql.start()
        await_that(lambda: collector.get("/").status_code == 200, "the pages are back")
        assert _sent(collector, device, device_id, range(25, 30)) == {FateOutcome.STORED}
        await_that(lambda: collector.metric("mektep_store_readings") == 29, "the store has each reading once")
