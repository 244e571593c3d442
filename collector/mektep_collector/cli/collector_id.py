"""The name of a data directory among those of collectors that share a register."""

from pathlib import Path
from uuid import UUID, uuid4

from mektep_collector.backup.make import COLLECTOR_ID
from mektep_collector.config import ConfigError
from mektep_collector.durable import write


def collector_id(data: Path) -> str:
    """Return the name, which is made once and moves with the directory. Raises ConfigError and OSError."""
    path = data / COLLECTOR_ID
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        write(path, str(uuid4()).encode("ascii"))
    try:
        return str(UUID(path.read_text("ascii").strip()))
    except ValueError as error:
        raise ConfigError(
            f"{path} holds no UUID; restore it from a backup: devices belong to the collector that it names"
        ) from error
