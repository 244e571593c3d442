"""The store in InfluxDB as a check and a backup see it, while a collector may be serving."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from mektep_collector.finding import Finding, Weight
from mektep_collector.sqlite_copy import copy_database
from mektep_collector.store.error import StoreError
from mektep_collector.store.influx.dead_letters import FILE, DeadLetter, DeadLetters
from mektep_collector.store.influx.dialect import Dialect
from mektep_collector.store.influx.progress import progress_of, progress_question
from mektep_collector.store.influx.redelivery import Redelivery, redeliver
from mektep_collector.store.influx.server import Address, InfluxServer
from mektep_collector.store.influx.text import named

_FOR_EVER = "0s"
_DEFAULT = "default"

Progress = Callable[[str, int, int], None]


class InfluxFiles:
    """What is kept of the store in the data directory's folder `directory`, and what its server says of the rest."""

    def __init__(self, address: Address, directory: Path, collector_id: str = "") -> None:
        self._address = address
        self._directory = directory
        self._collector_id = collector_id

    def copy(self, target: Path, progress: Progress) -> None:
        """Copy the refused points into the data directory `target`. Raises OSError and apsw.Error.

        The points themselves are InfluxDB's to back up; from an older state of them the journal goes on by itself.
        """
        letters = self._directory / FILE
        if not letters.exists():
            return
        into = target / self._directory.name / FILE
        into.parent.mkdir(parents=True)
        copy_database(letters, into, lambda done, whole: progress(FILE, done, whole))

    def dead_letters(self) -> Sequence[DeadLetter]:
        """Return the points that InfluxDB refused for good, with its reasons. Raises StoreError."""
        letters = DeadLetters(self._directory / FILE)
        try:
            return letters.all()
        finally:
            letters.close()

    def redeliver(self) -> Redelivery:
        """Write them again. Raises StoreError."""
        return redeliver(self._address, self._directory)

    def position(self) -> int:
        """Return the journal's position that InfluxDB has taken in, 0 where it does not answer: `findings` says so."""
        try:
            with closing(InfluxServer(self._address)) as server:
                return progress_of(server.ask(progress_question(self._collector_id))).position
        except StoreError:
            return 0

    def findings(self, progress: Progress) -> Iterator[Finding]:
        """Return what is to be said of server, retention and refused points."""
        progress("InfluxDB", 0, 1)
        yield from self._of_server()
        yield self._of_letters()
        progress("InfluxDB", 1, 1)

    def _of_server(self) -> Iterator[Finding]:
        where = self._address.url
        try:
            server = InfluxServer(self._address)
        except StoreError as error:
            yield _finding(where, Weight.FAULT, str(error), "start InfluxDB, or mend the setting that this names")
            return
        try:
            yield _finding(where, Weight.GOOD, _said(server.dialect))
            if server.dialect.makes_databases:
                yield from self._of_retention(server)
        except StoreError as error:
            yield _finding(where, Weight.FAULT, str(error), "see InfluxDB's own log")
        finally:
            server.close()

    def _of_retention(self, server: InfluxServer) -> Iterator[Finding]:
        database = self._address.database
        for rows in server.ask(f"SHOW RETENTION POLICIES ON {named(database)}"):
            for values in rows.values:
                policy = dict(zip(rows.columns, values, strict=True))
                wanted = self._address.retention_policy
                if policy["name"] != wanted and not (not wanted and policy[_DEFAULT]):
                    continue
                where = f"{database}, retention policy {policy['name']}"
                if policy["duration"] == _FOR_EVER:
                    yield _finding(where, Weight.GOOD, "keeps for ever")
                else:
                    told = f"ALTER RETENTION POLICY {named(policy['name'])} ON {named(database)} DURATION INF"
                    said = f"InfluxDB deletes readings after {policy['duration']}, and refuses late ones"
                    yield _finding(where, Weight.WARNING, said, told)

    def _of_letters(self) -> Finding:
        path = self._directory / FILE
        count = len(self.dead_letters()) if path.exists() else 0
        if not count:
            return _finding(str(path), Weight.GOOD, "InfluxDB has refused no reading")
        return _finding(
            str(path),
            Weight.WARNING,
            f"InfluxDB has refused {count} readings for good",
            "`mektep-collector dead-letters list` says why; mend that, then `mektep-collector dead-letters retry`",
        )


def _said(dialect: Dialect) -> str:
    return f"InfluxDB {dialect.version}: points by {dialect.write_way}, questions by {dialect.query_method} /query"


def _finding(where: str, weight: Weight, seen: str, remedy: str = "") -> Finding:
    return Finding(subject="store", where=where, weight=weight, seen=seen, remedy=remedy)
