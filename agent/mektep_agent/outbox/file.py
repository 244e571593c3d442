"""The outbox's file: opened whole, or put away under another name and begun anew. It is never deleted."""

import os
import sqlite3
from pathlib import Path
from random import Random
from uuid import UUID

from mektep_agent.clock import TimeSource
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.outbox.ballast import Ballast
from mektep_agent.outbox.parcel import OutboxError, SetAside
from mektep_agent.outbox.schema import connect, create
from mektep_agent.outbox.sqlite_fault import Fault, fault_of


class OutboxFile:
    """Opens the file and remembers what it had to put away. Raises OutboxError where neither file nor new one opens."""

    def __init__(self, folder: StateFolder, time: TimeSource, random: Random, ballast: Ballast, max_bytes: int) -> None:
        self.path = folder.outbox
        self.set_aside: tuple[SetAside, ...] = ()
        self._folder = folder
        self._time = time
        self._random = random
        self._ballast = ballast
        self._max_bytes = max_bytes

    def open(self) -> sqlite3.Connection:
        """Open the file, or a new one where there is none or it is damaged. The caller closes it."""
        try:
            if not self.path.exists():
                return self._created()
            try:
                return connect(self.path, self._max_bytes)
            except sqlite3.Error as error:
                if fault_of(error) is not Fault.DAMAGED:
                    raise
                self._put_away(str(error))
                return self._created()
        except (sqlite3.Error, OSError) as error:
            raise OutboxError(f"the outbox {self.path} cannot be opened: {error}; check rights and disk") from error

    def open_anew(self, reason: str) -> sqlite3.Connection:
        """Put a file that was found damaged away, for `reason`, and open a new one."""
        try:
            if self.path.exists():
                self._put_away(reason)
        except OSError as error:
            raise OutboxError(f"the damaged outbox {self.path} cannot be put away: {error}") from error
        return self.open()

    def _created(self) -> sqlite3.Connection:
        # A journal that outlived its file would be rolled back into the new one.
        self._put_journal_away()
        epoch = str(UUID(int=self._random.getrandbits(128), version=4))
        try:
            create(self.path, epoch)
        except (sqlite3.Error, OSError):
            if not self._ballast.give_up():
                raise
            create(self.path, epoch)
        return connect(self.path, self._max_bytes)

    def _put_away(self, reason: str) -> None:
        self._put_journal_away()  # first: alone it is harmless, beside a new outbox it is not
        aside = self._folder.set_aside(self.path, "corrupt", self._time.now())
        self.set_aside = (*self.set_aside, SetAside(file=str(aside), reason=reason, at=self._time.now()))

    def _put_journal_away(self) -> None:
        journal = Path(f"{self.path}-journal")
        if os.path.lexists(journal):
            self._folder.set_aside(journal, "corrupt", self._time.now())
