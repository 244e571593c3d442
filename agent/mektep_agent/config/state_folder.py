"""The folder that holds all that the agent must not forget, and how a file in it is replaced whole or not at all."""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path


class StateFolder:
    """The agent's folder; only its owner may look inside. Nothing in it is made before it is needed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def identity(self) -> Path:
        """File of key, token and collector."""
        return self.path / "identity.json"

    @property
    def identity_lock(self) -> Path:
        """File that is held locked by who changes the identity."""
        return self.path / "identity.lock"

    @property
    def enrolment(self) -> Path:
        """File of an enrolment whose answer has not come yet."""
        return self.path / "enrolment.json"

    @property
    def assignment(self) -> Path:
        """File of the last good assignment, as it was signed."""
        return self.path / "assignment.json"

    @property
    def holidays(self) -> Path:
        """File of public holidays, computed from the country's calendar."""
        return self.path / "holidays.json"

    @property
    def outbox(self) -> Path:
        """File of the outbox."""
        return self.path / "outbox.sqlite"

    @property
    def budget(self) -> Path:
        """File of the month's account of bytes."""
        return self.path / "budget.json"

    @property
    def mlab(self) -> Path:
        """File of when tests against M-Lab began."""
        return self.path / "mlab.json"

    @property
    def links(self) -> Path:
        """File of what was learnt of each link, and how far shortened tests can be relied on there."""
        return self.path / "links.json"

    @property
    def lock(self) -> Path:
        """File that one daemon at a time holds locked."""
        return self.path / "agent.lock"

    def make(self) -> None:
        """Create the folder where it is not there yet, for its owner alone; raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, file: Path, content: bytes) -> None:
        """Replace `file` by `content`, readable by its owner alone and on disk before it returns; raises OSError.

        A crash leaves the old file or the new one, never a part.
        """
        self.make()
        fresh = file.with_name(file.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
        settle_folder(self.path)

    def set_aside(self, file: Path, why: str, at: datetime) -> Path:
        """Rename `file` to `<name>-<why>-<time><suffix>` and return its new place. It is never deleted."""
        stamp = at.strftime("%Y%m%dT%H%M%SZ")
        aside = file.with_name(f"{file.stem}-{why}-{stamp}{file.suffix}")
        count = 1
        while aside.exists():
            count += 1
            aside = file.with_name(f"{file.stem}-{why}-{stamp}-{count}{file.suffix}")
        file.replace(aside)
        settle_folder(self.path)
        return aside


def settle_folder(path: Path) -> None:
    """Make renames in `path` last through a power cut, where the system lets a folder be synced."""
    with suppress(PermissionError):  # Windows opens no folders; its renames are journalled
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
