"""What the command line tells the daemon to do."""

from enum import StrEnum

import msgspec

from mektep_agent.config import Config


class Manner(StrEnum):
    """How long to run."""

    KEEP_ON = "keep_on"
    """Until told to end."""
    ONCE = "once"
    """Measure once at once, deliver, and end."""


class Printed(StrEnum):
    """What goes to standard output."""

    NOTHING = "nothing"
    READINGS = "readings"
    """The readings of a single run, in wire form."""


class RunOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the daemon, with its folder and settings settled."""

    state_dir: str
    config: Config
    manner: Manner = Manner.KEEP_ON
    printed: Printed = Printed.NOTHING
