"""A look at the outbox from another process, for `mektep-agent status`: it writes nothing and waits for no one long."""

import sqlite3
from pathlib import Path

from mektep_agent.outbox.parcel import Census, OutboxError
from mektep_agent.outbox.schema import take_census

_BUSY_TIMEOUT_S = 2.0


def look_into(file: Path, note_names: tuple[str, ...]) -> tuple[Census, dict[str, bytes]] | None:
    """Return how the outbox stands and the notes of these names, or None where there is none; raises OutboxError."""
    if not file.exists():
        return None
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)
        try:
            notes = {
                name: bytes(content)
                for name, content in connection.execute("SELECT name, content FROM note")
                if name in note_names
            }
            return take_census(connection), notes
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise OutboxError(
            f"the outbox {file} cannot be read: {error}; `mektep-agent run` sets a damaged one aside and begins anew"
        ) from error
