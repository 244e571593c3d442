"""The operator's lists of platforms and of lesson needs: read strictly, refused with words that help."""

from pathlib import Path

import pytest

from mektep_collector.config import Config, ConfigError
from mektep_collector.config.lesson_needs import load_lesson_needs
from mektep_collector.config.load import load
from mektep_collector.config.platforms import Platform, read_platforms


def test_a_platform_has_a_name_an_address_and_maybe_a_text() -> None:
    assert read_platforms(
        ("Kundelik=https://kundelik.kz/", "Ai Mektep=https://ai.example:8443/x?y=1 Ai Mektep kz")
    ) == (
        Platform(name="Kundelik", url="https://kundelik.kz/"),
        Platform(name="Ai Mektep", url="https://ai.example:8443/x?y=1", expected_text="Ai Mektep kz"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "kundelik.kz",
        "Kundelik=http://kundelik.kz/",
        "=https://kundelik.kz/",
        "K=https:///",
        "K=https://a:b@k.kz/",
        "K=https://k:0x/",
    ],
)
def test_a_platform_that_cannot_be_is_refused_with_how_one_reads(line: str) -> None:
    with pytest.raises(ValueError, match="Name=https://host/"):
        read_platforms((line,))


def test_neither_name_nor_address_stands_twice_and_there_are_few() -> None:
    with pytest.raises(ValueError, match="name 'K' more than once"):
        read_platforms(("K=https://a.kz/", "K=https://b.kz/"))
    with pytest.raises(ValueError, match="more than once"):
        read_platforms(("K=https://a.kz/", "L=https://a.kz/"))
    with pytest.raises(ValueError, match="at most 16"):
        read_platforms(tuple(f"K{n}=https://k{n}.kz/" for n in range(17)))


def test_a_wrong_platform_is_told_at_the_start() -> None:
    with pytest.raises(ConfigError, match="platforms"):
        load({"platforms": ("K=http://k.kz/",)}, {}, None)


def test_the_list_may_be_empty_and_comes_from_the_environment_too() -> None:
    assert load({}, {"MEKTEP_COLLECTOR_PLATFORMS": ""}, None).config.learning_platforms() == ()
    found = load({}, {"MEKTEP_COLLECTOR_PLATFORMS": "A=https://a.kz/, B=https://b.kz/ text of B"}, None).config
    assert [platform.name for platform in found.learning_platforms()] == ["A", "B"]


def test_the_default_list_reads_and_has_the_platforms_that_the_table_of_needs_names() -> None:
    names = {platform.name for platform in Config().learning_platforms()}
    assert names == {"Kundelik", "OnlineMektep", "Akelius"}
    assert {need.platform for need in load_lesson_needs(None).activity} <= names


def test_an_operators_table_stands_in_place_of_the_one_that_ships(tmp_path: Path) -> None:
    file = tmp_path / "needs.toml"
    file.write_text(
        "max_age_h = 24\n[[activity]]\nplatform = 'Kundelik'\nname = {kk = 'а', ru = 'б', en = 'c'}\n"
        "download_mbps = 0.2\nupload_mbps = 0.1\nmax_rtt_ms = 800\nmax_loss_ratio = 0.02\n"
        "source = 'measured in our own schools'\n",
        "utf-8",
    )
    table = load_lesson_needs(file)
    assert (table.max_age_h, [need.platform for need in table.activity]) == (24, ["Kundelik"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max_age_h = 24\n[[activity]]\nplatform = 'K'\n", "every number and its source"),
        ("max_age_h = ", "not TOML"),
        ("max_age_h = 0\nactivity = []\n", "max_age_h"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "needs.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=told):
        load_lesson_needs(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_lesson_needs(tmp_path / "absent.toml")
