"""The settings themselves, with their defaults.

Errors::

    ConfigError          a setting is unknown or has a value that cannot be; the message says where and what to do
"""

from collections.abc import Mapping, Sequence
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from platformdirs import user_data_path

from mektep_collector.config.issuer import check_issuer
from mektep_collector.config.platforms import DEFAULT_PLATFORMS, Platform, read_platforms
from mektep_collector.config.retention import Retention
from mektep_wire import DateRange, SchoolHours, Weekday

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
_Hour = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_Range = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}(/\d{4}-\d{2}-\d{2})?$")]
_Term = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}/\d=\d{4}-\d{2}-\d{2}/\d{4}-\d{2}-\d{2}$")]
_DnsName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
_QUARTER_DAYS = 92
_SCHOOL_DAYS = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)


class ConfigError(Exception):
    """A setting that cannot be used; the message names it, where it stands, and what to do."""


class StoreKind(StrEnum):
    """Where readings lie as time series."""

    EMBEDDED = "embedded"
    INFLUXDB = "influxdb"


class PagesFor(StrEnum):
    """Who is shown pages."""

    EVERYONE = "everyone"
    PEOPLE = "people"


class MeasureServer(StrEnum):
    """Whether `serve` runs a measuring server of its own."""

    OWN = "own"
    NONE = "none"


class PlainHttp(StrEnum):
    """Where HTTP without TLS is let be."""

    LOOPBACK = "loopback"
    ANYWHERE = "anywhere"


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


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that an operator may set."""

    data_dir: str = ""
    """Folder of registry, journal, store and keys. Empty: the system's own folder for a user's programs."""
    registry_url: str = ""
    """Database of the register of schools and devices, such as postgresql://mektep@db.example.kz/mektep. Empty: a file
    in the data directory."""
    registry_password_file: str = ""
    """File of the password for the user in `registry_url`."""
    peer_url: str = ""
    """Address under which other collectors that share `registry_url` reach this one, such as http://10.0.0.5:8080.
    Empty: it shares the register with none."""
    store: StoreKind = StoreKind.EMBEDDED
    """Where readings lie as time series: `embedded`, files in the data directory, or `influxdb`."""
    influxdb_url: str = "http://127.0.0.1:8086"
    """Where InfluxDB answers, for the store `influxdb`."""
    influxdb_database: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "mektep"
    """InfluxDB's database (1.x, 3.x) or bucket (2.x)."""
    influxdb_retention_policy: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{0,64}$")] = ""
    """Retention policy of that database. Empty: its default one. It must keep for ever: what is old, the collector
    clears away itself."""
    influxdb_user: str = ""
    """User by which InfluxDB 1.x lets the collector in. Empty: none is asked for."""
    influxdb_password_file: str = ""
    """File of that user's password."""
    influxdb_token_file: str = ""
    """File of the token by which InfluxDB 2.x or 3.x lets the collector in."""
    keep_readings_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0
    """For how many days readings are kept whole; after that, when each was made, how it ended and its values, which all
    statistics rest on. 92 at least; 0: for ever."""
    keep_runs_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0
    """For how many days anything is kept of them in the store; 0: for ever."""
    keep_evidence_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0
    """For how many days the journal keeps the batches that devices signed, from which the store can be made again; as
    long as `keep_readings_days` at least; 0: for ever."""
    host: str = "127.0.0.1"
    """Address that pages and interface are served on."""
    port: Port = 8080
    """Port that pages and interface are served on; 0: any that is free."""
    public_url: str = ""
    """Address under which agents and people reach the collector. Empty: what it is served on."""
    tls_cert: str = ""
    """File of the certificate chain, PEM. With `tls_key` everything is served over TLS."""
    tls_key: str = ""
    """File of the certificate's private key, PEM."""
    plain_http: PlainHttp = PlainHttp.LOOPBACK
    """Where HTTP without TLS is let be: `loopback`, or `anywhere`, which sends tokens in the clear."""
    pages_for: PagesFor = PagesFor.EVERYONE
    """Who is shown pages: `everyone` who reaches them, or `people` who log in (`mektep-collector people`)."""
    session_idle_min: Annotated[float, msgspec.Meta(ge=1.0, le=1_440.0)] = 60.0
    """After so long without a page people log in again."""
    session_max_h: Annotated[float, msgspec.Meta(ge=0.1, le=720.0)] = 12.0
    """After so long people log in again in any case."""
    oidc_issuer: str = ""
    """Issuer of an OpenID provider by which people log in too, such as https://id.example.kz/realms/edu. Empty: none.
    It goes with the three settings below and `pages_for = "people"`."""
    oidc_client_id: str = ""
    """Name by which that provider knows the collector."""
    oidc_client_secret_file: str = ""
    """File of the secret that the provider gave out for `oidc_client_id`."""
    oidc_name: Annotated[str, msgspec.Meta(max_length=60)] = ""
    """What people call that provider; it stands on the login page."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of reverse proxies whose word on a client's address is taken."""
    measure_server: MeasureServer = MeasureServer.OWN
    """Whether `serve` runs a measuring server: `own` or `none`."""
    measure_bind: str = ""
    """Address that the measuring server listens on. Empty: as `host`."""
    measure_host: str = ""
    """Name or address under which schools reach the measuring server. Empty: as in `public_url`."""
    ndt7_port: Port = 8081
    """TCP port of throughput tests without TLS; 0: any that is free."""
    ndt7_tls_port: Port = 8444
    """TCP port of throughput tests over TLS, open where a certificate is given; 0: any that is free."""
    echo_port: Port = 8082
    """UDP port of latency probes; 0: any that is free."""
    measure_metrics_port: Port = 0
    """TCP port, on this computer alone, of the measuring server's own metrics; 0: any that is free."""
    metrics_token_file: str = ""
    """File of the token, 32 characters at least, that shows `/metrics` beyond this computer. Empty: nothing does."""
    ndt7_url: str = ""
    """Where agents test throughput, such as wss://measure.example.kz. Empty: the measuring server of `serve`. With
    https://locate.measurementlab.net/v2/nearest/ndt/ndt7 schools that accept M-Lab's policy test there, by its rules.
    In a private network, on another computer than the collector, agents test there with `local_targets` alone.
    """
    echo_url: str = ""
    """Where agents probe latency, such as udp://measure.example.kz:8082. Empty: the measuring server of `serve`."""
    dns_names: tuple[_DnsName, ...] = ()
    """Further names whose look-up agents may time."""
    platforms: tuple[str, ...] = DEFAULT_PLATFORMS
    """Learning platforms that agents look at, each as Name=https://host/, with a text of the page after a space if that
    is to be checked. Empty: none."""
    lesson_needs_file: str = ""
    """File, TOML, of what a pupil needs of the line for a lesson. Empty: the table that ships."""
    school_days: tuple[Weekday, ...] = _SCHOOL_DAYS
    """Weekdays on which schools are open."""
    school_opens_at: _Hour = "08:00"
    """When school hours begin, local time."""
    school_closes_at: _Hour = "19:00"
    """When school hours end, local time."""
    holiday_country: Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{2})?$")] = "KZ"
    """Country whose public holidays are no school days, by ISO 3166-1. Empty: none."""
    days_off: tuple[_Range, ...] = ()
    """Further days without school, such as 2026-10-26/2026-11-01."""
    working_days: tuple[_Range, ...] = ()
    """Days with school in spite of all that, each as 2026-12-19."""
    terms: tuple[_Term, ...] = ()
    """Terms of the school year for reports, each as 2026-27/1=2026-09-01/2026-10-25."""
    throughput_slots_count: Annotated[int, msgspec.Meta(ge=0, le=24)] = 4
    """Throughput tests of a school day."""
    latency_interval_s: Annotated[float, msgspec.Meta(ge=60.0, le=86_400.0)] = 900.0
    """Time from one latency probe to the next, in school hours."""
    path_interval_s: Annotated[float, msgspec.Meta(ge=60.0, le=86_400.0)] = 3_600.0
    """Time from one look at gateway, names and targets to the next, in school hours."""
    platform_interval_s: Annotated[float, msgspec.Meta(ge=3_600.0, le=86_400.0)] = 3_600.0
    """Time from one look at the learning platforms to the next, in school hours; an hour at least."""
    platform_slow_after_ms: Annotated[float, msgspec.Meta(gt=0.0, le=60_000.0)] = 5_000.0
    """A learning platform whose page takes longer is slow."""
    send_interval_s: Annotated[float, msgspec.Meta(ge=1.0, le=86_400.0)] = 900.0
    """How often an agent sends what it has."""
    audit_ratio: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.05
    """Share of the tests that are audits: they run to full length, and show by how much shortened ones miss."""
    shortcut_error_max_ratio: Annotated[float, msgspec.Meta(ge=0.001, le=1.0)] = 0.05
    """Most by which shortened tests may miss; where a device's audits show more, it tests at full length by itself."""
    month_budget_bytes: Annotated[int, msgspec.Meta(ge=0, le=10**15)] = 0
    """Most bytes that an agent may use in a month; 0: no limit."""
    code_lifetime_h: Annotated[float, msgspec.Meta(gt=0.0, le=8_760.0)] = 72.0
    """How long a join code is good."""
    token_lifetime_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 90
    """After how many days a device renews its token; 0: only when it is asked to (`devices renew-token`)."""
    token_overlap_h: Annotated[float, msgspec.Meta(ge=0.0, le=720.0)] = 24.0
    """For how long a device's earlier token is good beside the new one, from the first use of that on."""
    log_level: LogLevel = LogLevel.INFO
    """Least weight of a line that is logged: `debug`, `info` or `warning`."""
    log_form: LogForm = LogForm.AUTO
    """How lines are logged: `json`, `text`, or `auto`: text on a terminal, JSON elsewhere."""

    def __post_init__(self) -> None:
        """Refuse settings that do not go together. Raises ValueError that names them."""
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("`tls_cert` and `tls_key` belong together: give both or none")
        if self.school_opens_at >= self.school_closes_at:
            raise ValueError("`school_opens_at` must be before `school_closes_at`")
        if self.influxdb_user and self.influxdb_token_file:
            raise ValueError("`influxdb_user` and `influxdb_token_file` exclude each other: give one of them")
        self.retention()
        _check_url("registry_url", self.registry_url, ("postgresql",))
        if self.registry_url and ":" in self.registry_url.partition("//")[2].rpartition("@")[0]:
            raise ValueError(
                "`registry_url` holds a password; put that into a file and name it in `registry_password_file`"
            )
        if self.peer_url and not self.registry_url:
            raise ValueError("`peer_url` is for collectors that share a register: name it in `registry_url`")
        _check_url("peer_url", self.peer_url, ("http", "https"))
        _check_url("influxdb_url", self.influxdb_url, ("http", "https"))
        _check_url("public_url", self.public_url, ("http", "https"))
        _check_url("ndt7_url", self.ndt7_url, ("ws", "wss", "https"))
        _check_url("echo_url", self.echo_url, ("udp",))
        self._check_oidc()
        self.free_days()
        self.moved_days()
        self.school_terms()
        self.learning_platforms()

    def _check_oidc(self) -> None:
        names = ("oidc_issuer", "oidc_client_id", "oidc_client_secret_file", "oidc_name")
        absent = [f"`{name}`" for name in names if not getattr(self, name).strip()]
        if len(absent) == len(names):
            return
        if absent:
            raise ValueError(f"the settings `oidc_...` belong together: {' and '.join(absent)} is not given")
        if self.pages_for is not PagesFor.PEOPLE:
            raise ValueError('`oidc_issuer` is for pages that people log in to: set `pages_for = "people"`')
        check_issuer(self.oidc_issuer)

    def school_hours(self) -> Sequence[SchoolHours]:
        """Return the hours of each school day."""
        opens_at, closes_at = time.fromisoformat(self.school_opens_at), time.fromisoformat(self.school_closes_at)
        return [SchoolHours(weekday=day, opens_at=opens_at, closes_at=closes_at) for day in self.school_days]

    def free_days(self) -> Sequence[DateRange]:
        """Return `days_off` as days."""
        return [_range("days_off", text) for text in self.days_off]

    def moved_days(self) -> Sequence[DateRange]:
        """Return `working_days` as days."""
        return [_range("working_days", text) for text in self.working_days]

    def school_terms(self) -> Mapping[str, DateRange]:
        """Return the days of each term by its name."""
        parts = [text.partition("=") for text in self.terms]
        return {name: _range("terms", days) for name, _, days in parts}

    def learning_platforms(self) -> Sequence[Platform]:
        """Return `platforms` as a list of them."""
        return read_platforms(self.platforms)

    def retention(self) -> Retention:
        """Return how long each class of data is kept."""
        kept = Retention(
            readings_days=self.keep_readings_days or None,
            runs_days=self.keep_runs_days or None,
            evidence_days=self.keep_evidence_days or None,
        )
        if kept.readings_days is not None and kept.readings_days < _QUARTER_DAYS:
            raise ValueError(
                f"`keep_readings_days` is {kept.readings_days}; a quarter's reports need {_QUARTER_DAYS}, 0 is for ever"
            )
        if not _at_least(kept.runs_days, kept.readings_days):
            raise ValueError("`keep_runs_days` must not be less than `keep_readings_days` (0: for ever)")
        if not _at_least(kept.evidence_days, kept.readings_days):
            raise ValueError(
                "`keep_evidence_days` must not be less than `keep_readings_days` (0: for ever): a store that is lost "
                "is made again from the journal"
            )
        return kept

    def data_path(self) -> Path:
        """Return the folder of all that the collector keeps."""
        return Path(self.data_dir) if self.data_dir else user_data_path("mektep-collector", appauthor=False)


def _at_least(days: int | None, least: int | None) -> bool:
    """Compare two times in days, None being for ever."""
    return days is None or (least is not None and days >= least)


def _check_url(name: str, text: str, schemes: tuple[str, ...]) -> None:
    if not text:
        return
    try:
        parts = urlsplit(text)
        is_local = "host=" in parts.query  # a socket's folder, as PostgreSQL has it
        sound = parts.scheme in schemes and bool(parts.hostname or is_local) and (parts.port or 0) >= 0
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f"`{name}` is {text!r}; it begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")


def _range(name: str, text: str) -> DateRange:
    first, _, last = text.partition("/")
    try:
        return DateRange(first=date.fromisoformat(first), last=date.fromisoformat(last or first))
    except ValueError as error:
        raise ValueError(f"`{name}` holds {text!r}: {error}") from None
