"""One value for each setting: flag, then environment, then file, then default; each with its origin.

The environment is read once, here, at the start. A name that no setting has is refused with the nearest one that has.
"""

import difflib
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from mektep_agent.config.settings import Config, ConfigError

ENVIRONMENT_PREFIX = "MEKTEP_"
FILE_VARIABLE = "MEKTEP_CONFIG"
_COLLECTOR_PREFIX = "MEKTEP_COLLECTOR_"
_NAMES = tuple(field.name for field in msgspec.structs.fields(Config))


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


def load(flags: Mapping[str, str | None], environment: Mapping[str, str], file: Path | None) -> Loaded:
    """Return the settings in force; raises ConfigError.

    `flags` holds what was given on the command line by the setting's name, None where nothing was. `file` must exist
    when it is given. Variables of the environment that do not begin with `MEKTEP_` are left alone.
    """
    given: dict[str, object] = {}
    origins = dict.fromkeys(_NAMES, Origin.DEFAULT)
    layers = (
        (Origin.FILE, _from_file(file), f"file {file}"),
        (Origin.ENVIRONMENT, _from_environment(environment), "environment"),
        (Origin.FLAG, {name: value for name, value in flags.items() if value is not None}, "command line"),
    )
    for origin, values, place in layers:
        for name, value in values.items():
            given[name] = _checked(name, value, origin, place)
            origins[name] = origin
    return Loaded(config=Config(**given), origins=origins, file=file)  # type: ignore[arg-type]


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
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable.startswith(_COLLECTOR_PREFIX):
            continue
        if variable == FILE_VARIABLE:
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        _refuse_unknown(name, variable, "environment")
        values[name] = value
    return values


def _refuse_unknown(name: str, shown: str, place: str) -> None:
    if name in _NAMES:
        return
    nearest = difflib.get_close_matches(name, _NAMES, n=1, cutoff=0.5)
    hint = f"the nearest known one is `{nearest[0]}`" if nearest else f"known are {', '.join(_NAMES)}"
    raise ConfigError(f"{place}: no setting is called `{shown}`; {hint}")


def _checked(name: str, value: object, origin: Origin, place: str) -> object:
    kind = next(field.type for field in msgspec.structs.fields(Config) if field.name == name)
    try:
        return msgspec.convert(value, kind, strict=origin is Origin.FILE and not isinstance(value, int))
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: `{name}` cannot be {value!r}: {error}") from None
