import pytest

from mektep_agent.engines.speedtest.target import TargetError, parse_target


def test_speedtest_net_chooses_by_itself_and_a_mini_server_has_an_address() -> None:
    assert parse_target("speedtest.net").mini_url == ""
    assert parse_target("http://host:8081/mini/").mini_url == "http://host:8081/mini/"
    assert parse_target("https://host").mini_url == "https://host/"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "www.speedtest.net",
        "ws://host",
        "http://",
        "http://u@host/",
        "http://host:0/",
        "http://host/?a",
        "http://h/ x",
    ],
)
def test_any_other_address_is_refused_with_the_form_that_is_wanted(text: str) -> None:
    with pytest.raises(TargetError, match=r"speedtest\.net, or http"):
        parse_target(text)
