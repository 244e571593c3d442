"""The settings themselves, with their defaults. What to measure and when is the collector's assignment, not a setting.

Errors::

    ConfigError          a setting is unknown or has a value that cannot be; the message says where and what to do
"""

from enum import StrEnum
from typing import Annotated

import msgspec


class ConfigError(Exception):
    """A setting that cannot be used; the message names it, where it stands, and what to do."""


class LogLevel(StrEnum):
    """The least weight of a line that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


class LogForm(StrEnum):
    """How a line of the log looks."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class MlabDataPolicy(StrEnum):
    """Whether this school has accepted M-Lab's data policy."""

    NOT_ACCEPTED = "not_accepted"
    ACCEPTED = "accepted"


class SpeedtestUse(StrEnum):
    """Whether speedtest.net, another company's service, may be used."""

    REFUSED = "refused"
    ALLOWED = "allowed"


class LocalTargets(StrEnum):
    """Which addresses that are not public the collector's assignment may name."""

    REFUSED = "refused"
    """None but the own gateway, and the address that the collector had when this computer was enrolled."""
    INTRANET = "intranet"
    """Those of private networks too."""
    ALLOWED = "allowed"
    """Any, this computer itself among them."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that a person may set on the school's computer."""

    state_dir: str = ""
    """Folder of the agent's identity and outbox. Empty: the system's own folder for a user's programs."""
    log_level: LogLevel = LogLevel.INFO
    """Least weight of a line that is logged: `debug`, `info` or `warning`."""
    log_form: LogForm = LogForm.AUTO
    """How lines are logged: `json`, `text`, or `auto`: text on a terminal, JSON elsewhere."""
    outbox_max_bytes: Annotated[int, msgspec.Meta(ge=1_048_576, le=2**40)] = 67_108_864
    """Size that the outbox never exceeds; when it is reached, old latency readings go first, and are counted."""
    ballast_bytes: Annotated[int, msgspec.Meta(ge=0, le=2**30)] = 2_097_152
    """Space held back on the disk, given free when the disk is full, so that the outbox can go on."""
    month_cap_bytes: Annotated[int, msgspec.Meta(ge=0, le=10**15)] = 0
    """Most bytes of a month on this line, if that is less than the collector allows; 0: as the collector allows."""
    month_carry_over_ratio: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.0
    """Most that a month may take over of what the last one left, as a part of the cap; 0: nothing."""
    mlab_data_policy: MlabDataPolicy = MlabDataPolicy.NOT_ACCEPTED
    """`accepted`: this school agrees that M-Lab publishes its public address and results, if it is to test there;
    see https://www.measurementlab.net/privacy/."""
    speedtest: SpeedtestUse = SpeedtestUse.REFUSED
    """`allowed`: speedtest-cli may measure against speedtest.net, whose owner's terms apply; else `refused`."""
    startup_delay_max_s: Annotated[float, msgspec.Meta(ge=0.0, le=86_400.0)] = 900.0
    """The first measurement after the start comes at random within so many seconds."""
    heartbeat_interval_s: Annotated[float, msgspec.Meta(ge=0.0, le=3_600.0)] = 60.0
    """How far the heartbeats are apart that notice an outage, in school hours; 0: none, and no outage is recorded."""
    connect_timeout_s: Annotated[float, msgspec.Meta(ge=0.1, le=600.0)] = 15.0
    """How long to wait for a connection to the collector."""
    request_timeout_s: Annotated[float, msgspec.Meta(ge=1.0, le=3_600.0)] = 120.0
    """How long one request to the collector may take in all."""
    local_targets: LocalTargets = LocalTargets.REFUSED
    """Whether the collector may have addresses measured that are not public: `refused`, but for the own gateway and the
    collector's own address; `intranet`: those of private networks, where measuring servers stand there; `allowed`: any,
    for tests."""
