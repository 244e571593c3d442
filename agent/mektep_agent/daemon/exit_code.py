"""How the agent's commands end."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The same for every command."""

    GOOD = 0
    FAILED = 1
    USAGE = 2
    DEGRADED = 3
    OUT_OF_REACH = 4
