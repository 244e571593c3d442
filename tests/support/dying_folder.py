"""A state folder whose process is killed as it writes: what is on disk then is what a kill leaves."""

from enum import StrEnum
from pathlib import Path

from mektep_agent.config.state_folder import StateFolder


class KilledError(BaseException):
    """The process is gone; nothing that it holds in memory counts any more."""


class Moment(StrEnum):
    """When it is killed."""

    BEFORE_WRITING = "before writing"
    AFTER_WRITING = "after writing"


class DyingFolder(StateFolder):
    """Raises KilledError at its first writing."""

    def __init__(self, path: Path, moment: Moment) -> None:
        super().__init__(path)
        self._moment = moment

    def write(self, file: Path, content: bytes) -> None:
        """Write or not, and die."""
        if self._moment is Moment.AFTER_WRITING:
            super().write(file, content)
        raise KilledError
