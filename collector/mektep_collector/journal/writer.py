"""The one thread that writes: batches that wait are committed together, and answered only when they are on disk.

While one commit waits for the disk, further batches gather; the next commit takes them all. So a slow disk makes
commits larger, not acceptance slower. Where the disk is quick, batches of several devices are let gather for some
milliseconds: a commit costs as much processor time as opening a batch of ten readings.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import apsw
import msgspec

from mektep_collector.journal.admission import Admission, Admitted
from mektep_collector.journal.checkpoint import Checkpoints, LogMover
from mektep_collector.journal.connection import Durability, open_writer
from mektep_collector.journal.error import JournalBusyError, JournalError
from mektep_collector.journal.pruning import Spent, delete_spent
from mektep_collector.journal.readers import Readers
from mektep_collector.journal.schema import prepare
from mektep_collector.journal.submission import Submission

_LOG = logging.getLogger(__name__)
_GROUP_COUNT = 64
_WAITING_COUNT = 1_024
_MUCH_COUNT = 400
"""Readings that are worth a commit of their own: it costs little beside them, and nobody need wait for others."""
GATHERING_S = 0.008
"""From one commit to the next where another device asks. One that is alone asks again when it is answered: at once."""


class WriterCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What the writer did since it began."""

    batch_count: int = 0
    stored_count: int = 0
    duplicate_count: int = 0
    rejected_count: int = 0
    commit_count: int = 0
    failed_commit_count: int = 0
    checkpoint_count: int = 0
    longest_checkpoint_s: float = 0.0


class _Waiting:
    __slots__ = ("future", "loop", "submission")

    def __init__(
        self, submission: Submission, future: asyncio.Future[Admitted], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.submission = submission
        self.future = future
        self.loop = loop


Answer = tuple[_Waiting, Admitted | JournalError]


class Writer:
    """Owns the writing connection and its thread. `committed` is called in that thread with each new last position."""

    def __init__(
        self,
        path: Path,
        readers: Readers,
        committed: Callable[[int], None],
        log_limit_pages: int,
        gathering_s: float,
    ) -> None:
        self._path = path
        self._gathering_s = gathering_s
        self._committed = committed
        self._waiting: deque[_Waiting] = deque()
        self._spent: deque[tuple[Spent, Future[None]]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._counts = WriterCounts()
        self._last_device_id = ""
        self._gather_until_s = 0.0
        try:
            self._connection = open_writer(path, Durability.EVERY_COMMIT)
        except apsw.Error as error:
            raise JournalError(f"cannot open the journal {path}: {error}") from error
        try:
            prepare(self._connection, path)
            row = self._connection.execute("SELECT max(position) FROM entry").fetchone()
        except (apsw.Error, JournalError) as error:
            self._connection.close()
            if isinstance(error, JournalError):
                raise
            raise JournalError(
                f"cannot read the journal {path}: {error}; set the file aside (never delete it) and restore a backup"
            ) from error
        self.first_position = int(row[0] or 0) if row else 0
        self._admission = Admission(self._connection)
        self._mover = LogMover(path, Durability.EVERY_COMMIT)
        self._checkpoints = Checkpoints(self._connection, readers, log_limit_pages, self._mover)
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def counts(self) -> WriterCounts:
        """Return what was done so far."""
        return self._counts

    def submit(self, submission: Submission) -> asyncio.Future[Admitted]:
        """Queue a submission; the future holds the result once it is on disk, or a JournalError.

        Called in an event loop. Raises JournalBusyError when too many wait, JournalError after `close`.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(submission, loop.create_future(), loop)
        with self._changed:
            if self._closing:
                raise JournalError(f"the journal {self._path} is closed")
            if len(self._waiting) >= _WAITING_COUNT:
                raise JournalBusyError(f"{_WAITING_COUNT} batches wait for the disk of {self._path}")
            self._waiting.append(waiting)
            self._changed.notify()
        return waiting.future

    def delete(self, spent: Spent) -> Future[None]:
        """Queue the deletion of old entries; the future ends once they are gone, with apsw.Error where they are not.

        Raises JournalError after `close`.
        """
        done: Future[None] = Future()
        with self._changed:
            if self._closing:
                raise JournalError(f"the journal {self._path} is closed")
            self._spent.append((spent, done))
            self._changed.notify()
        return done

    def close(self, patience_s: float = 30.0) -> None:
        """Write what waits, end the thread, close the file. Raises JournalError if the disk does not answer."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(patience_s)
        if self._thread.is_alive():
            raise JournalError(f"the disk of {self._path} did not answer within {patience_s:g} s")

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._spent or self._closing)
                if not self._waiting and not self._spent:
                    break
                rest_s = self._rest_s()
            if rest_s > 0.0:
                time.sleep(rest_s)
            with self._changed:
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _GROUP_COUNT))]
                spent = self._spent.popleft() if self._spent else None
            if group:
                self._answer(self._write(group))
                self._last_device_id = group[-1].submission.device.id
                self._gather_until_s = time.monotonic() + self._gathering_s
            if spent is not None:
                self._delete(*spent)
            self._checkpoint()
        self._mover.close()
        self._connection.close()

    def _rest_s(self) -> float:
        """Return for how long others may join what waits; 0 or less for not at all."""
        is_alone = len(self._waiting) == 1 and self._waiting[0].submission.device.id == self._last_device_id
        is_much = sum(len(each.submission.times_us) for each in self._waiting) >= _MUCH_COUNT
        if not self._waiting or is_alone or is_much or self._closing:
            return 0.0
        return self._gather_until_s - time.monotonic()

    def _write(self, group: Sequence[_Waiting]) -> list[Answer]:
        """Commit a group; when that fails, each alone, so that one does not fail the others."""
        try:
            return self._commit(group)
        except apsw.Error as error:
            failed = JournalError(f"cannot write to the journal {self._path}: {error}")
            failed.__cause__ = error
        except Exception as error:  # noqa: BLE001 (a bug in one batch must not end the thread that all others need)
            if len(group) == 1:
                _LOG.exception("batch_not_admitted", extra={"batch_id": group[0].submission.batch_id})
            failed = JournalError(f"a batch could not be admitted: {error!r}")
            failed.__cause__ = error
        self._admission.forget()
        self._counts = msgspec.structs.replace(self._counts, failed_commit_count=self._counts.failed_commit_count + 1)
        if len(group) == 1:
            return [(group[0], failed)]
        return [answer for waiting in group for answer in self._write([waiting])]

    def _delete(self, spent: Spent, done: Future[None]) -> None:
        try:
            delete_spent(self._connection, spent)
        except apsw.Error as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    def _commit(self, group: Sequence[_Waiting]) -> list[Answer]:
        admitted: list[Admitted] = []
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            admitted.extend(self._admission.admit(waiting.submission) for waiting in group)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._count(admitted)
        positions = [one.position for one in admitted if one.position is not None]
        if positions:
            self._committed(positions[-1])
        return list(zip(group, admitted, strict=True))

    def _count(self, admitted: Sequence[Admitted]) -> None:
        before = self._counts
        self._counts = msgspec.structs.replace(
            before,
            batch_count=before.batch_count + len(admitted),
            stored_count=before.stored_count + sum(one.stored_count for one in admitted),
            duplicate_count=before.duplicate_count + sum(one.duplicate_count for one in admitted),
            rejected_count=before.rejected_count + sum(one.rejected_count for one in admitted),
            commit_count=before.commit_count + 1,
        )

    def _answer(self, answers: Sequence[Answer]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[Answer]] = {}
        for answer in answers:
            by_loop.setdefault(answer[0].loop, []).append(answer)
        for loop, own in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, own)
            except RuntimeError:
                # The asker's loop has ended. What is on disk stays; the agent asks again and hears "duplicate".
                _LOG.info("receipt_not_delivered", extra={"batch_count": len(own)})

    def _checkpoint(self) -> None:
        try:
            took_s = self._checkpoints.run_if_due()
        except apsw.Error as error:
            # What was committed is safe in the log; the next checkpoint is tried after as many pages more.
            _LOG.warning("checkpoint_failed", extra={"path": str(self._path), "reason": str(error)})
            return
        if took_s is not None:
            self._counts = msgspec.structs.replace(
                self._counts,
                checkpoint_count=self._counts.checkpoint_count + 1,
                longest_checkpoint_s=max(self._counts.longest_checkpoint_s, took_s),
            )


def _resolve(answers: Sequence[Answer]) -> None:
    for waiting, result in answers:
        if waiting.future.done():  # the asker hung up
            continue
        if isinstance(result, JournalError):
            waiting.future.set_exception(result)
        else:
            waiting.future.set_result(result)
