"""What a pupil needs of the line for a lesson: a table that the operator can change, each number with its source."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec

from mektep_collector.config.settings import ConfigError

_Speed = Annotated[float, msgspec.Meta(gt=0.0, le=10_000.0)]
_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What people call an activity, in the languages of the pages."""

    kk: _Words
    ru: _Words
    en: _Words


class LessonNeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What each pupil needs who does this at the same time as others (speeds), and what the line must hold (limits)."""

    platform: _Words
    name: Names
    download_mbps: _Speed
    upload_mbps: _Speed
    max_rtt_ms: Annotated[float, msgspec.Meta(gt=0.0, le=60_000.0)]
    max_loss_ratio: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
    source: Annotated[str, msgspec.Meta(min_length=10, max_length=2_000)]


class LessonNeeds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table. Measurements older than `max_age_h` hours are not used."""

    max_age_h: Annotated[float, msgspec.Meta(gt=0.0, le=8_760.0)]
    activity: Annotated[Sequence[LessonNeed], msgspec.Meta(max_length=32)]


def load_lesson_needs(file: Path | None) -> LessonNeeds:
    """Return the operator's table, or the one that ships; raises ConfigError that says where and what is wrong."""
    if file is None:
        text = files("mektep_collector.config").joinpath("lesson_needs.toml").read_text("utf-8")
        return msgspec.convert(tomllib.loads(text), LessonNeeds, strict=False)
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), LessonNeeds, strict=False)
    except OSError as error:
        raise ConfigError(f"the table of lesson needs {file} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the table of lesson needs {file} is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the table of lesson needs {file} is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"the table of lesson needs {file}: {error}; every number and its source must be given"
        ) from None
