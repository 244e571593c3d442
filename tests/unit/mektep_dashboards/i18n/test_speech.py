"""Numbers, units and dates as the three languages write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_dashboards.i18n.language import Language
from mektep_dashboards.i18n.numbers import digits_that_tell
from mektep_dashboards.i18n.speech import Speech

KK, RU, EN = Speech(Language.KK), Speech(Language.RU), Speech(Language.EN)
AT = datetime(2026, 11, 22, 4, 5, tzinfo=UTC)
speeds_mbps = st.floats(0.0, 2_000.0)


def test_speeds_have_the_languages_own_unit_and_comma() -> None:
    assert [speech.mbps(41.23) for speech in (KK, RU, EN)] == [
        "41,2\u00a0Мбит/с",
        "41,2\u00a0Мбит/с",
        "41.2\u00a0Mbit/s",
    ]
    assert [speech.number(12_345) for speech in (KK, RU, EN)] == ["12\u00a0345", "12\u00a0345", "12,345"]


def test_percent_follows_cldr() -> None:
    assert [speech.percent(0.7) for speech in (KK, RU, EN)] == ["70%", "70\u00a0%", "70%"]
    assert KK.percent(0.9996) == "99,96%"
    assert KK.percent(1.0) == "100%"
    assert KK.percent(0.0) == "0%"
    assert KK.percent(0.0004) == "0,04%"


def test_a_deviation_has_its_sign_and_one_decimal() -> None:
    assert [speech.deviation(0.0123) for speech in (KK, RU, EN)] == ["+1,2%", "+1,2\u00a0%", "+1.2%"]
    assert [speech.deviation(-0.0123) for speech in (KK, RU, EN)] == ["-1,2%", "-1,2\u00a0%", "-1.2%"]
    assert [EN.deviation(ratio) for ratio in (0.0, 0.0004, -0.0004, 2.0)] == ["0.0%", "0.0%", "0.0%", "+200.0%"]


def test_dates_are_written_out_in_the_schools_time() -> None:
    assert [speech.full_day_at(AT, "Asia/Almaty") for speech in (KK, RU, EN)] == [
        "2026\u00a0ж.\u00a022\u00a0қараша",
        "22\u00a0ноября\u00a02026\u00a0г.",
        "22\u00a0November\u00a02026",
    ]
    assert KK.minute(AT, "Asia/Almaty") == "22\u00a0қар., 09:05"
    assert EN.full_minute(AT, "Asia/Almaty") == "22\u00a0November\u00a02026, 09:05 (UTC+05)"
    assert EN.full_minute(AT, "Asia/Kathmandu").endswith("09:50 (UTC+05:45)")


def test_norms_are_not_rounded() -> None:
    assert KK.bound_mbps(20.05) == "20,05\u00a0Мбит/с"
    assert KK.bound_mbps(20.0) == "20\u00a0Мбит/с"


def test_a_speed_just_below_the_norm_never_looks_like_the_norm() -> None:
    assert EN.speed(19.96, (20.0,)) == "19.96"
    assert EN.speed(20.04, (20.05,)) == "20.0"
    assert EN.speed(20.049, (20.05,)) == "20.0"
    assert EN.speed(99.97, (100.0,)) == "99.97"
    assert EN.speed(19.9, (20.0, None)) == "19.9"
    assert EN.speed(250.4, ()) == "250"


@given(speeds_mbps, st.floats(0.0, 2_000.0).map(lambda bound: round(bound, 2)))
def test_what_is_shown_stands_to_a_bound_as_what_was_measured(value: float, bound: float) -> None:
    shown = round(value, digits_that_tell(value, (bound,), 1))
    if abs(value - bound) > 1e-4:
        assert (shown < bound) == (value < bound)


@pytest.mark.parametrize(
    ("count_bytes", "text"),
    [(0, "0\u00a0MB"), (1_400_000, "1.4\u00a0MB"), (250_000_000, "250\u00a0MB"), (8_040_000_000, "8.0\u00a0GB")],
)
def test_data_is_counted_in_megabytes_and_gigabytes(count_bytes: int, text: str) -> None:
    assert EN.data(count_bytes) == text


def test_short_times_keep_a_decimal() -> None:
    assert (EN.milliseconds(3.14), EN.milliseconds(612.4)) == ("3.1\u00a0ms", "612\u00a0ms")
