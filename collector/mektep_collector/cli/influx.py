"""The store in InfluxDB, made of the settings. Its library is an extra of its own, so it is imported only here."""

from collections.abc import Callable
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from mektep_collector.cli.collector_id import collector_id
from mektep_collector.config import Config, ConfigError
from mektep_collector.config.secret_file import read_secret

try:
    from mektep_collector.store.influx import Address, Credentials, InfluxFiles, InfluxStore
except ModuleNotFoundError as error:
    raise ConfigError(
        f"the store `influxdb` needs {error.name}, which is not installed: pip install 'mektep-meter[influxdb]'"
    ) from error

_FOLDER: Final = "store-influxdb"


def influx_store(config: Config, zone_of: Callable[[str], ZoneInfo]) -> InfluxStore:
    """Open the store. Raises ConfigError and StoreError."""
    return InfluxStore(_address(config), _folder(config), zone_of, _collector_id(config), config.retention())


def influx_files(config: Config) -> InfluxFiles:
    """Return what a check and a backup see of it. Raises ConfigError."""
    return InfluxFiles(_address(config), _folder(config), _collector_id(config))


def _collector_id(config: Config) -> str:
    return collector_id(config.data_path()) if config.peer_url else ""


def _folder(config: Config) -> Path:
    return config.data_path() / _FOLDER


def _address(config: Config) -> Address:
    return Address(
        url=config.influxdb_url.rstrip("/"),
        database=config.influxdb_database,
        retention_policy=config.influxdb_retention_policy,
        credentials=Credentials(
            user=config.influxdb_user,
            password=read_secret("influxdb_password_file", config.influxdb_password_file),
            token=read_secret("influxdb_token_file", config.influxdb_token_file),
        ),
    )
