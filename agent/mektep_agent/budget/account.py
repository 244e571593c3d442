"""The ledger kept live and on disk: a kill at any moment never makes it forget bytes that were used.

A test is held for before it begins and counted when it has ended. All else is counted ahead: the file says more than
was used, by at most `AHEAD_BYTES`, so that small things cost no write each. What it says was used is never too little.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from mektep_agent.budget import ledger as steps
from mektep_agent.budget.ledger import Ledger, MonthUse, Outlook
from mektep_agent.budget.month import month_of
from mektep_agent.config.state_folder import StateFolder
from mektep_wire import ClockStatus

_LOG = logging.getLogger(__name__)
AHEAD_BYTES = 65_536

Clocked = tuple[datetime, ClockStatus]


def read_ledger(folder: StateFolder) -> Ledger:
    """Return the ledger as it is on disk, empty where there is none; raises OSError and msgspec.DecodeError."""
    try:
        return msgspec.json.decode(folder.budget.read_bytes(), type=Ledger)
    except FileNotFoundError:
        return Ledger()


class Account:
    """The month's account of one state folder, for one process and one thread. `close` it at the end.

    `now` tells true time as well as it is known, and whether it is known. A damaged file is set aside, never deleted,
    and an empty account begun; what had been used is then unknown, which the log says.
    """

    def __init__(self, folder: StateFolder, now: Callable[[], Clocked], zone: ZoneInfo) -> None:
        self._folder = folder
        self._now = now
        self._zone = zone
        self._ahead_bytes = 0
        self._ledger = steps.after_restart(self._read())
        self._turn()
        self._write()

    def close(self) -> None:
        """Write down exactly what was used."""
        self._ahead_bytes = 0
        self._write()

    def move_to(self, zone: ZoneInfo) -> None:
        """Count months by another zone from now on."""
        self._zone = zone
        self._turn()

    @property
    def ledger(self) -> Ledger:
        """The ledger as of now."""
        self._turn()
        return self._ledger

    @property
    def month(self) -> MonthUse:
        """The open month as of now."""
        return self.ledger.current

    def hold(self, held_bytes: int) -> None:
        """Set bytes aside for a test that begins now; one before it whose end was never told counts as held."""
        self._turn()
        self._ledger = msgspec.structs.replace(steps.after_restart(self._ledger), held_bytes=max(0, held_bytes))
        self._write()

    def count_test(self, test_bytes: int) -> None:
        """Count a throughput test that has ended, well or badly."""
        self._turn()
        self._ledger = steps.with_test(self._ledger, test_bytes)
        self._write()

    def count(self, other_bytes: int) -> None:
        """Count anything else."""
        self._turn()
        self._ledger = steps.with_other(self._ledger, other_bytes)
        self._ahead_bytes -= other_bytes
        if self._ahead_bytes < 0:
            self._ahead_bytes = AHEAD_BYTES
            self._write()

    def plan(self, cap_bytes: int | None, line_bytes: float, outlook: Outlook | None) -> None:
        """Keep what the plan came to."""
        self._turn()
        if (self._ledger.current.cap_bytes, self._ledger.current.line_bytes, self._ledger.outlook) == (
            cap_bytes, line_bytes, outlook,
        ):  # fmt: skip
            return
        ledger = steps.with_line(steps.with_cap(self._ledger, cap_bytes), line_bytes)
        self._ledger = msgspec.structs.replace(ledger, outlook=outlook)
        self._write()

    def _turn(self) -> None:
        at, status = self._now()
        self._ledger = steps.turned(self._ledger, month_of(at, self._zone), status)

    def _read(self) -> Ledger:
        try:
            return read_ledger(self._folder)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _LOG.error("budget_set_aside", extra={"detail": str(error), "advice": "what was used is not known"})
            if self._folder.budget.exists():
                self._folder.set_aside(self._folder.budget, "corrupt", self._now()[0])
            return Ledger()

    def _write(self) -> None:
        ledger = self._ledger
        if self._ahead_bytes > 0:
            ledger = steps.with_other(ledger, self._ahead_bytes)
        try:
            self._folder.write(self._folder.budget, msgspec.json.encode(ledger))
        except OSError as error:
            # A full disk ends no measurement; the count goes on in memory, and is written with the next one.
            _LOG.warning("budget_not_written", extra={"detail": str(error)})
