from pathlib import Path

import msgspec
import pytest

from mektep_collector.config import Config, ConfigError, Origin, PlainHttp, load
from mektep_collector.config.retention import Retention
from mektep_wire import Weekday


def settings_file(folder: Path, text: str) -> Path:
    file = folder / "collector.toml"
    file.write_text(text, "utf-8")
    return file


def refused(flags: dict[str, object], environment: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(flags, environment, file)
    return str(caught.value)


def test_flag_goes_before_environment_before_file_before_default(tmp_path: Path) -> None:
    file = settings_file(tmp_path, 'port = 1\nhost = "a"\necho_port = 3\n')
    environment = {"MEKTEP_COLLECTOR_PORT": "4", "MEKTEP_COLLECTOR_HOST": "b", "MEKTEP_STATE_DIR": "the agent's"}
    loaded = load({"port": 5, "ndt7_port": None}, environment, file)
    config, origins = loaded.config, loaded.origins
    assert (config.port, config.host, config.echo_port, config.ndt7_port) == (5, "b", 3, 8081)
    assert [origins[name] for name in ("port", "host", "echo_port", "ndt7_port")] == [
        Origin.FLAG, Origin.ENVIRONMENT, Origin.FILE, Origin.DEFAULT,
    ]  # fmt: skip


def test_every_default_is_a_value_that_may_be_set(tmp_path: Path) -> None:
    values = msgspec.to_builtins(Config())
    lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in values.items()]
    loaded = load({}, {}, settings_file(tmp_path, "\n".join(lines)))
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {Origin.FILE}


def test_every_default_may_be_set_by_the_environment() -> None:
    values = msgspec.to_builtins(Config())
    environment = {
        f"MEKTEP_COLLECTOR_{name.upper()}": ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
    }
    assert load({}, environment, None).config == Config()


def test_the_environment_may_name_the_file(tmp_path: Path) -> None:
    file = settings_file(tmp_path, "port = 9\n")
    loaded = load({}, {"MEKTEP_COLLECTOR_CONFIG": str(file)}, None)
    assert (loaded.config.port, loaded.file) == (9, file)
    assert "cannot be read" in refused({}, {"MEKTEP_COLLECTOR_CONFIG": str(tmp_path / "none.toml")})


def test_lists_and_numbers_may_be_text_outside_a_file() -> None:
    config = load(
        {"plain_http": "anywhere"},
        {
            "MEKTEP_COLLECTOR_SCHOOL_DAYS": "monday, saturday",
            "MEKTEP_COLLECTOR_DAYS_OFF": "2026-10-26/2026-11-01,2026-12-01",
            "MEKTEP_COLLECTOR_LATENCY_INTERVAL_S": "60",
        },
        None,
    ).config
    assert [hours.weekday for hours in config.school_hours()] == [Weekday.MONDAY, Weekday.SATURDAY]
    assert [(str(days.first), str(days.last)) for days in config.free_days()] == [
        ("2026-10-26", "2026-11-01"),
        ("2026-12-01", "2026-12-01"),
    ]
    assert (config.latency_interval_s, config.plain_http) == (60.0, PlainHttp.ANYWHERE)


def test_an_unknown_name_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    file = settings_file(tmp_path, "prot = 1\n")
    assert refused({}, {}, file) == (f"file {file}: no setting is called `prot`; the nearest known one is `port`")
    assert "`MEKTEP_COLLECTOR_PUBLIC_URI`; the nearest known one is `public_url`" in refused(
        {}, {"MEKTEP_COLLECTOR_PUBLIC_URI": "x"}
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port = 70000", "`port` cannot be 70000"),
        ('port = "8080"', "`port` cannot be '8080'"),
        ('store = "paper"', "`store` cannot be 'paper'"),
        ('tls_cert = "a.pem"', "`tls_cert` and `tls_key` belong together"),
        ('school_opens_at = "8am"', "`school_opens_at` cannot be '8am'"),
        ('school_opens_at = "20:00"', "`school_opens_at` must be before `school_closes_at`"),
        ('days_off = ["2026-02-30"]', "`days_off` holds '2026-02-30'"),
        ('days_off = ["2026-03-02/2026-03-01"]', "`first` must not be after `last`"),
        ('public_url = "collector.example"', "`public_url` is 'collector.example'; it begins with http:// or https://"),
        ('ndt7_url = "http://a"', "`ndt7_url` is 'http://a'; it begins with ws:// or wss://"),
        ('echo_url = "udp://a:99999"', "`echo_url`"),
        ("keep_readings_days = 30", "`keep_readings_days` is 30; a quarter's reports need 92"),
        ("keep_readings_days = 100\nkeep_runs_days = 99", "`keep_runs_days` must not be less"),
        ("keep_readings_days = 0\nkeep_runs_days = 4000", "`keep_runs_days` must not be less"),
        ("keep_readings_days = 400\nkeep_evidence_days = 100", "`keep_evidence_days` must not be less"),
        ("port = ", "is not TOML"),
    ],
)
def test_a_value_that_cannot_be_is_named(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused({}, {}, settings_file(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", Retention()),
        ("keep_readings_days = 400", Retention(readings_days=400)),
        (
            "keep_readings_days = 92\nkeep_runs_days = 92\nkeep_evidence_days = 92",
            Retention(readings_days=92, runs_days=92, evidence_days=92),
        ),
    ],
)
def test_no_days_are_for_ever(tmp_path: Path, text: str, kept: Retention) -> None:
    assert load({}, {}, settings_file(tmp_path, text)).config.retention() == kept


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_bytes(b"\xff\xfe")
    assert "is not UTF-8 (byte 0)" in refused({}, {}, file)


def test_data_lie_where_the_operator_says() -> None:
    assert Config(data_dir="somewhere").data_path() == Path("somewhere")
    assert Config().data_path().name == "mektep-collector"
