"""The store that the settings name, with what works beside it: the one place where a concrete store is chosen.

What InfluxDB needs is imported only where it is chosen: its library is an extra of its own.
"""

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

from mektep_collector.api.metrics import Seen
from mektep_collector.clock import TimeSource
from mektep_collector.config import Config, StoreKind
from mektep_collector.finding import Finding
from mektep_collector.jobs.close_days import close_due_days
from mektep_collector.jobs.retain import ThinsOut
from mektep_collector.jobs.rounds import Rounds
from mektep_collector.store.embedded import ClosingProcess, EmbeddedFiles, EmbeddedStore
from mektep_collector.store.store import Store

_FOLDER: Final = "store"
_CLOSING_PAUSE_S: Final = 600.0

ZoneOf = Callable[[str], ZoneInfo]
Progress = Callable[[str, int, int], None]


class KeptStore(Store, ThinsOut, Protocol):
    """A store that lets go of what need not be kept."""


class OpenedStore(msgspec.Struct, frozen=True):
    """A store at work: the jobs that it needs beside it, and what is to be seen of it."""

    store: KeptStore
    jobs: Sequence[Callable[[], Coroutine[Any, Any, None]]]
    gauges: Mapping[str, Seen]


class StoreFiles(Protocol):
    """What a backup and a check need of a store."""

    def copy(self, target: Path, progress: Progress) -> None:
        """Copy one state of what it keeps in the data directory into the data directory `target`."""
        ...

    def position(self) -> int:
        """Return the journal's position that it has reached."""
        ...

    def findings(self, progress: Progress) -> Iterator[Finding]:
        """Return what is to be said of it."""
        ...


def open_store(config: Config, zone_of: ZoneOf, time: TimeSource, opened: AsyncExitStack) -> OpenedStore:
    """Open the store that the settings name; `opened` closes it. Raises ConfigError and StoreError."""
    if config.store is StoreKind.INFLUXDB:
        return _influxdb(config, zone_of, opened)
    return _embedded(config, zone_of, time, opened)


def store_files(config: Config) -> StoreFiles:
    """Return what a backup and a check see of the store that the settings name. Raises ConfigError."""
    if config.store is StoreKind.INFLUXDB:
        from mektep_collector.cli.influx import influx_files

        return influx_files(config)
    return EmbeddedFiles(config.data_path())


def _embedded(config: Config, zone_of: ZoneOf, time: TimeSource, opened: AsyncExitStack) -> OpenedStore:
    closer = ClosingProcess()
    store = EmbeddedStore(config.data_path() / _FOLDER, zone_of, closer, config.retention())
    opened.callback(store.close)
    opened.callback(closer.stop)
    closing = Rounds(lambda: close_due_days(store, time.now()), "days_not_closed", _CLOSING_PAUSE_S)
    gauges: Mapping[str, Seen] = {
        "mektep_store_closed_days": ("Days that have a file of their own.", lambda: float(store.closed_days_count())),
        "mektep_store_closing_failures": (
            "Failures to close days, in a row.",
            lambda: float(closing.failures_count()),
        ),
    }
    return OpenedStore(store, [closing.run], gauges)


def _influxdb(config: Config, zone_of: ZoneOf, opened: AsyncExitStack) -> OpenedStore:
    from mektep_collector.cli.influx import influx_store

    store = influx_store(config, zone_of)
    opened.callback(store.close)
    gauges: Mapping[str, Seen] = {
        "mektep_store_dead_letters": (
            "Points that InfluxDB refused for good, kept apart.",
            lambda: float(store.dead_letters_count()),
        ),
    }
    return OpenedStore(store, [], gauges)
