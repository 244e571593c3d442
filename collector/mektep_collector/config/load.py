"""One value for each setting: flag, then environment, then file, then default; each with its origin.

The environment is read once, here, at the start. A name that no setting has is refused with the nearest one that has.
A list is written in the environment or a flag with commas between its members.
"""

import difflib
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import get_origin

import msgspec

from mektep_collector.config.settings import Config, ConfigError

ENVIRONMENT_PREFIX = "MEKTEP_COLLECTOR_"
FILE_VARIABLE = "MEKTEP_COLLECTOR_CONFIG"
_FIELDS = {field.name: field for field in msgspec.structs.fields(Config)}


class Origin(StrEnum):
    """Where a value came from."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force, and the origin of each by its name."""

    config: Config
    origins: dict[str, Origin]
    file: Path | None


def load(flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None) -> Loaded:
    """Return the settings in force; raises ConfigError.

    `flags` holds what was given on the command line by the setting's name, None where nothing was. `file`, or the one
    that the environment names, must exist.
    """
    named = environment.get(FILE_VARIABLE)
    if file is None and named:
        file = Path(named)
    given: dict[str, object] = {}
    origins = dict.fromkeys(_FIELDS, Origin.DEFAULT)
    layers = (
        (Origin.FILE, _from_file(file), f"file {file}"),
        (Origin.ENVIRONMENT, _from_environment(environment), "environment"),
        (Origin.FLAG, {name: value for name, value in flags.items() if value is not None}, "command line"),
    )
    for origin, values, place in layers:
        for name, value in values.items():
            given[name] = _checked(name, value, origin, place)
            origins[name] = origin
    try:
        config = msgspec.convert(given, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from None
    return Loaded(config=config, origins=origins, file=file)


def _from_file(file: Path | None) -> dict[str, object]:
    if file is None:
        return {}
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"the settings file {file} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the settings file {file} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the settings file {file} is not TOML: {error}") from error
    for name in values:
        _refuse_unknown(name, name, f"file {file}")
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for variable, value in environment.items():
        if variable.startswith(ENVIRONMENT_PREFIX) and variable != FILE_VARIABLE:
            name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
            _refuse_unknown(name, variable, "environment")
            values[name] = value
    return values


def _refuse_unknown(name: str, shown: str, place: str) -> None:
    if name in _FIELDS:
        return
    nearest = difflib.get_close_matches(name, _FIELDS, n=1, cutoff=0.5)
    hint = f"the nearest known one is `{nearest[0]}`" if nearest else f"known are {', '.join(_FIELDS)}"
    raise ConfigError(f"{place}: no setting is called `{shown}`; {hint}")


def _checked(name: str, value: object, origin: Origin, place: str) -> object:
    """Return a value in its setting's type. Text from outside a file stands for numbers and lists too."""
    kind = _FIELDS[name].type
    meant = value
    if isinstance(value, str) and origin is not Origin.FILE and get_origin(kind) is tuple:
        meant = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(meant, kind, strict=origin is Origin.FILE)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: `{name}` cannot be {value!r}: {error}") from None
