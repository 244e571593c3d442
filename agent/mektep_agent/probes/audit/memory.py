"""What is remembered of each link through restarts: what the method learnt, and how far its audits let it be trusted.

A link is a target, a direction and a network. Losing the memory costs data and no truth: the first tests are audits.
"""

import logging
from datetime import datetime
from typing import Final, Protocol

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.statistics.trust import Trust
from mektep_wire import Direction

_LOG = logging.getLogger(__name__)
NOTHING_LEARNT: Final = msgspec.Raw(b"null")
KEPT_LINKS_COUNT: Final = 64
"""Of more links than these, those go first whose last audit is longest ago."""


class Link(msgspec.Struct, frozen=True):
    """One way of one target in one network."""

    target: str
    direction: Direction
    network: str


class LinkRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one link by one method. `learnt` is the method's own; `at` is the wall clock's time."""

    link: Link
    method: str
    at: datetime
    learnt: msgspec.Raw = NOTHING_LEARNT
    trust: Trust = Trust()


class LinkMemory(Protocol):
    """Remembers records by their link."""

    def recall(self, link: Link) -> LinkRecord | None:
        """Return what is known of a link, or None."""
        ...

    def keep(self, record: LinkRecord) -> None:
        """Remember `record` in place of the last one of its link."""
        ...


class ForgetfulMemory:
    """Implements `LinkMemory` for as long as the process lives."""

    def __init__(self) -> None:
        self._records: dict[Link, LinkRecord] = {}

    def recall(self, link: Link) -> LinkRecord | None:
        """Return what is known of a link, or None."""
        return self._records.get(link)

    def keep(self, record: LinkRecord) -> None:
        """Remember `record`."""
        self._records[record.link] = record


class FolderMemory:
    """Implements `LinkMemory` on a file of the state folder, which is written whole after each audit."""

    def __init__(self, folder: StateFolder, time: TimeSource) -> None:
        self._folder = folder
        self._records = {record.link: record for record in self._read(time)}

    def recall(self, link: Link) -> LinkRecord | None:
        """Return what is known of a link, or None."""
        return self._records.get(link)

    def keep(self, record: LinkRecord) -> None:
        """Remember `record`. A disk that takes nothing ends no measurement: the log says so, memory goes on."""
        self._records.pop(record.link, None)
        self._records[record.link] = record
        while len(self._records) > KEPT_LINKS_COUNT:
            del self._records[next(iter(self._records))]
        try:
            self._folder.write(self._folder.links, msgspec.json.encode(list(self._records.values())))
        except OSError as error:
            _LOG.warning("links_not_written", extra={"detail": str(error)})

    def _read(self, time: TimeSource) -> list[LinkRecord]:
        try:
            return read_links(self._folder)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _LOG.error("links_set_aside", extra={"detail": str(error), "advice": "the next tests are audits"})
            if self._folder.links.exists():
                self._folder.set_aside(self._folder.links, "corrupt", time.now())
            return []


def read_links(folder: StateFolder) -> list[LinkRecord]:
    """Return the records on disk, the one that was kept last at the end; raises OSError and msgspec.DecodeError."""
    try:
        return msgspec.json.decode(folder.links.read_bytes(), type=list[LinkRecord])
    except FileNotFoundError:
        return []
