"""The store in InfluxDB meets the program itself: refusals, absence, death, and two lines of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest

from mektep_collector.config.retention import Retention
from mektep_collector.finding import Weight
from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.store.embedded import EmbeddedStore
from mektep_collector.store.error import StoreError
from mektep_collector.store.influx import Address, Credentials, InfluxFiles, InfluxStore
from mektep_collector.store.influx.redelivery import Redelivery
from mektep_collector.store.store import Period
from mektep_wire import Metric, ProbeName
from tests.support.peers.influxd import (
    InfluxdLine,
    RunningInfluxd,
    free_port,
    influxd_obstacle,
    running_influxd,
)
from tests.support.requirement import require
from tests.support.school_device import NOON, SchoolDevice
from tests.support.scripted_http import Peer, scripted_http

pytestmark = pytest.mark.peer
ALL = Period(NOON - timedelta(days=30), NOON + timedelta(days=30))
DEVICE = SchoolDevice()
NOBODY = Credentials()


def _entries(count: int, first: int = 1, readings_count: int = 12) -> list[Entry]:
    """Return entries of one device, a reading a minute."""
    found = []
    for position in range(first, first + count):
        seqs = range((position - 1) * readings_count + 1, position * readings_count + 1)
        found.append(
            Entry(
                position=position,
                received_at=NOON,
                accepted=[
                    Accepted(
                        reading=DEVICE.reading(seq, NOON + timedelta(minutes=seq)),
                        device_id=DEVICE.record.id,
                        school_id="0007",
                        at=NOON + timedelta(minutes=seq),
                        time_method=TimeMethod.SAME_BOOT,
                    )
                    for seq in seqs
                ],
            )
        )
    return found


def _address(port: int, credentials: Credentials = NOBODY) -> Address:
    return Address(url=f"http://127.0.0.1:{port}", database="mektep", credentials=credentials)


def _open(port: int, directory: Path, credentials: Credentials = NOBODY) -> InfluxStore:
    return InfluxStore(_address(port, credentials), directory, lambda _school_id: ZoneInfo("Asia/Almaty"))


def _told(port: int, path: str, content: str = "") -> httpx.Response:
    return httpx.post(f"http://127.0.0.1:{port}{path}", content=content.encode(), timeout=10)


def _probes(accepted: Sequence[Accepted]) -> set[ProbeName]:
    return {each.reading.probe for each in accepted}


@pytest.mark.parametrize("line", InfluxdLine)
def test_each_line_of_it_takes_and_tells_the_same_as_the_embedded_store(line: InfluxdLine, tmp_path: Path) -> None:
    obstacle = influxd_obstacle(line)
    require(obstacle is None, str(obstacle))
    entries = _entries(3)
    embedded = EmbeddedStore(tmp_path / "embedded", lambda _school_id: ZoneInfo("Asia/Almaty"))
    with running_influxd(tmp_path, line) as server:
        store = _open(server.port, tmp_path)
        try:
            for each in (embedded, store):
                each.put(entries)
            assert store.readings("0007", ALL) == embedded.readings("0007", ALL)
            assert list(store.latest()) == list(embedded.latest())
            for metric in Metric:
                assert list(store.series("0007", metric, ALL)) == list(embedded.series("0007", metric, ALL))
                assert list(store.days(metric, ALL)) == list(embedded.days(metric, ALL))
        finally:
            store.close()
            embedded.close()


def test_points_that_it_refuses_are_set_apart_and_the_others_are_in(influxd: RunningInfluxd, tmp_path: Path) -> None:
    """Somebody else has given a field of throughput another type: InfluxDB then takes no point that has it."""
    _told(influxd.port, "/query?q=DROP+DATABASE+mektep")
    _told(influxd.port, "/query?q=CREATE+DATABASE+mektep")
    at_ns = int(NOON.timestamp()) * 10**9
    assert _told(influxd.port, "/write?db=mektep", f'throughput came="x" {at_ns}').status_code == 204
    store = _open(influxd.port, tmp_path)
    files = InfluxFiles(_address(influxd.port), tmp_path)
    try:
        entries = _entries(2)
        everything = [each for entry in entries for each in entry.accepted]
        throughput_count = sum(each.reading.probe is ProbeName.THROUGHPUT for each in everything)

        store.put(entries)

        assert store.position() == 2
        assert store.dead_letters_count() == throughput_count > 0
        assert all("field type conflict" in letter.reason for letter in files.dead_letters())
        assert store.count() == len(everything) - throughput_count
        assert store.readings("0007", ALL) == everything, "whole readings are other points"
        assert list(store.series("0007", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)) == []
        assert store.series("0007", Metric.IDLE_RTT_MS, ALL)
        assert files.redeliver() == Redelivery(taken_count=0, refused_count=throughput_count)

        _told(influxd.port, "/query?db=mektep&q=DROP+MEASUREMENT+throughput")

        assert files.redeliver() == Redelivery(taken_count=throughput_count, refused_count=0)
        assert (store.dead_letters_count(), store.count()) == (0, len(everything))
        assert len(store.series("0007", Metric.DOWNLOAD_THROUGHPUT_MBPS, ALL)) == throughput_count
    finally:
        store.close()


@pytest.mark.parametrize("line", InfluxdLine)
def test_what_need_not_be_kept_is_deleted_and_what_is_later_stays(line: InfluxdLine, tmp_path: Path) -> None:
    obstacle = influxd_obstacle(line)
    require(obstacle is None, str(obstacle))
    entries = [
        Entry(position=position, received_at=NOON, accepted=[_download(position, NOON - timedelta(days=days))])
        for position, days in enumerate((500, 401, 400, 93, 92, 1), start=1)
    ]
    metric, ever = Metric.DOWNLOAD_THROUGHPUT_MBPS, Period(NOON - timedelta(days=900), NOON + timedelta(days=900))
    retention = Retention(readings_days=92, runs_days=400)
    with running_influxd(tmp_path, line) as server:
        store = InfluxStore(_address(server.port), tmp_path, lambda _: ZoneInfo("Asia/Almaty"), retention=retention)
        try:
            store.put(entries)
            before = store.series("0007", metric, ever)
            assert len(before) == 6
            store.thin_out(NOON)
            assert [each.at for each in store.readings("0007", ever)] == [before[4].at, before[5].at]
            assert store.series("0007", metric, ever) == before[2:]
            late = Entry(position=7, received_at=NOON, accepted=[_download(7, NOON - timedelta(days=100))])
            store.put([late])
            store.thin_out(NOON + timedelta(hours=1))
            assert len(store.series("0007", metric, ever)) == 5, "a late reading counts like any other"
            assert (store.position(), store.count()) == (7, 7)
        finally:
            store.close()


def _download(position: int, at: datetime) -> Accepted:
    return Accepted(
        reading=DEVICE.reading(6 * position, at, monotonic_s=1e6),
        device_id=DEVICE.record.id,
        school_id="0007",
        at=at,
        time_method=TimeMethod.SAME_BOOT,
    )


def test_a_server_that_comes_late_dies_and_comes_back_has_each_reading_once(tmp_path: Path) -> None:
    obstacle = influxd_obstacle()
    require(obstacle is None, str(obstacle))
    port = free_port()
    entries = _entries(12)
    store = _open(port, tmp_path)
    try:
        with pytest.raises(StoreError, match=r"cannot be reached.*wait in the journal"):
            store.put(entries[:2])
        assert store.position() == 0
        for begin in range(0, 12, 4):
            with running_influxd(tmp_path, port=port) as server:
                store.put(entries[begin : begin + 2])
                server.kill()
                with pytest.raises(StoreError):
                    store.put(entries[begin + 2 : begin + 4])
                assert store.position() == begin + 2
            with running_influxd(tmp_path, port=port):
                store.put(entries[begin : begin + 4])
                assert store.position() == begin + 4
        with running_influxd(tmp_path, port=port):
            everything = [each for entry in entries for each in entry.accepted]
            assert store.readings("0007", ALL) == everything
            anew = _open(port, tmp_path / "anew")
            anew.put(entries)
            assert (anew.position(), anew.count()) == (12, len(everything))
            anew.close()
    finally:
        store.close()


def test_a_database_set_back_is_fed_again_from_where_it_stands(influxd: RunningInfluxd, tmp_path: Path) -> None:
    """As after the restore of a backup: the position is in the database, so it goes back with the points."""
    _told(influxd.port, "/query?q=DROP+DATABASE+mektep")
    entries = _entries(3)
    store = _open(influxd.port, tmp_path)
    store.put(entries)
    store.close()
    _told(influxd.port, "/query?q=DROP+DATABASE+mektep")
    store = _open(influxd.port, tmp_path)
    try:
        store.put(entries)
        assert (store.position(), store.count()) == (3, 36)
        assert len(store.readings("0007", ALL)) == 36
    finally:
        store.close()


def test_a_wrong_password_is_said_and_the_right_one_lets_in(tmp_path: Path) -> None:
    obstacle = influxd_obstacle()
    require(obstacle is None, str(obstacle))
    with running_influxd(tmp_path, admin=("mektep", "correct-horse")) as server:
        stranger = _open(server.port, tmp_path / "stranger", Credentials(user="mektep", password="wrong"))
        with pytest.raises(StoreError, match=r"401.*check `influxdb_user`, its password or the token"):
            stranger.put(_entries(1))
        stranger.close()
        store = _open(server.port, tmp_path, Credentials(user="mektep", password="correct-horse"))
        store.put(_entries(1))
        assert len(store.readings("0007", ALL)) == 12
        store.close()


def test_what_is_no_influxdb_is_said(tmp_path: Path) -> None:
    def hello(peer: Peer) -> None:
        peer.hear()
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")

    with scripted_http(hello) as url:
        store = _open(urlsplit(url).port or 0, tmp_path)
        with pytest.raises(StoreError, match=r"cannot be used as InfluxDB.*check `influxdb_url`"):
            store.latest()
        store.close()


def test_no_secret_is_shown() -> None:
    assert "horse" not in repr(Address(url="http://x", database="y", credentials=Credentials("me", "horse", "horse")))


def test_the_check_says_what_it_found(influxd: RunningInfluxd, tmp_path: Path) -> None:
    for told in ("DROP+DATABASE+mektep", "CREATE+DATABASE+mektep+WITH+DURATION+52w"):
        _told(influxd.port, f"/query?q={told}")

    found = list(InfluxFiles(_address(influxd.port), tmp_path).findings(lambda _part, _done, _whole: None))

    assert [(one.weight, one.remedy) for one in found] == [
        (Weight.GOOD, ""),
        (Weight.WARNING, 'ALTER RETENTION POLICY "autogen" ON "mektep" DURATION INF'),
        (Weight.GOOD, ""),
    ]
    assert "/api/v2/write" in found[0].seen
    assert "deletes readings after 8736h0m0s" in found[1].seen


def test_the_check_says_that_nobody_answers(tmp_path: Path) -> None:
    found = list(InfluxFiles(_address(free_port()), tmp_path).findings(lambda _part, _done, _whole: None))
    assert [one.weight for one in found] == [Weight.FAULT, Weight.GOOD]
    assert "cannot be reached" in found[0].seen
