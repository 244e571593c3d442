import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from mektep_collector.journal.checkpoint import Checkpoints, LogMover
from mektep_collector.journal.connection import Durability, open_writer
from mektep_collector.journal.readers import Readers, ReadersBusyError

DEADLINE_S = 10.0


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = open_writer(tmp_path / "file", Durability.EVERY_COMMIT)
    connection.execute("CREATE TABLE t (x BLOB)")
    yield connection
    connection.close()


@pytest.fixture
def readers(tmp_path: Path, writer: apsw.Connection) -> Iterator[Readers]:
    lent = Readers(tmp_path / "file")
    yield lent
    lent.close()


def _fill(writer: apsw.Connection, times: int) -> None:
    for _ in range(times):
        writer.execute("INSERT INTO t VALUES (zeroblob(40000))")


def test_a_pause_waits_for_readers_at_work_and_holds_new_ones_back(readers: Readers) -> None:
    inside, leave, read = threading.Event(), threading.Event(), threading.Event()

    def long_reader() -> None:
        with readers.lend() as connection:
            connection.execute("SELECT count(*) FROM t").fetchall()
            inside.set()
            assert leave.wait(DEADLINE_S)

    def new_reader() -> None:
        with readers.lend():
            read.set()

    with ThreadPoolExecutor(2) as pool:
        pool.submit(long_reader)
        assert inside.wait(DEADLINE_S)
        with readers.paused(patience_s=0.01) as drained:
            assert not drained
            leave.set()
        with readers.paused(patience_s=DEADLINE_S) as drained:
            assert drained
            pool.submit(new_reader)
            assert not read.is_set()
        assert read.wait(DEADLINE_S)


def test_closed_readers_lend_nothing(readers: Readers) -> None:
    readers.close()
    with pytest.raises(ReadersBusyError), readers.lend():
        pass


def test_the_log_stays_short_however_much_is_written(tmp_path: Path, writer: apsw.Connection, readers: Readers) -> None:
    checkpoints = Checkpoints(writer, readers, limit_pages=100)
    took_s = []
    for _ in range(60):
        _fill(writer, 2)
        took_s.append(checkpoints.run_if_due())
    assert sum(took is not None for took in took_s) > 5
    assert (tmp_path / "file-wal").stat().st_size < 130 * 4_200


def test_a_reader_that_stays_does_not_stop_the_writer_and_the_log_is_moved_once_it_has_gone(
    tmp_path: Path, writer: apsw.Connection, readers: Readers
) -> None:
    checkpoints = Checkpoints(writer, readers, limit_pages=50)
    foreign = apsw.Connection(str(tmp_path / "file"), flags=apsw.SQLITE_OPEN_READONLY)
    foreign.execute("BEGIN")
    foreign.execute("SELECT count(*) FROM t").fetchall()
    _fill(writer, 10)
    assert checkpoints.run_if_due() is not None
    held_bytes = (tmp_path / "file-wal").stat().st_size
    foreign.close()
    _fill(writer, 10)
    assert checkpoints.run_if_due() is not None
    _fill(writer, 1)
    assert writer.pragma("wal_checkpoint") is not None
    assert (tmp_path / "file-wal").stat().st_size < 3 * held_bytes
    assert checkpoints.run_if_due() is None


def test_most_of_the_log_is_moved_beside_while_the_writer_goes_on(
    tmp_path: Path, writer: apsw.Connection, readers: Readers
) -> None:
    mover = LogMover(tmp_path / "file", Durability.EVERY_COMMIT)
    checkpoints = Checkpoints(writer, readers, limit_pages=100, mover=mover)
    took_s = []
    for _ in range(400):
        _fill(writer, 2)
        took_s.append(checkpoints.run_if_due())
        if len([took for took in took_s if took is not None]) == 3:
            break
    assert took_s[0] is None, "a round beside comes first"
    assert len([took for took in took_s if took is not None]) == 3
    mover.close()
    assert writer.execute("SELECT count(*) FROM t").fetchall() == [(2 * len(took_s),)]


def test_what_cannot_be_moved_beside_does_not_stop_the_writer(
    tmp_path: Path, writer: apsw.Connection, readers: Readers
) -> None:
    checkpoints = Checkpoints(
        writer, readers, limit_pages=10, mover=LogMover(tmp_path / "no such folder" / "file", Durability.EVERY_COMMIT)
    )
    for _ in range(200):
        _fill(writer, 2)
        if checkpoints.run_if_due() is not None:
            break
    else:
        raise AssertionError("the writer's own checkpoint never came")
