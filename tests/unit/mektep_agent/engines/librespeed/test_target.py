import pytest

from mektep_agent.engines.librespeed.target import Scheme, TargetError, parse_target


@pytest.mark.parametrize(
    ("text", "authority", "folder"),
    [
        ("http://speed.example.kz", "speed.example.kz", "/backend/"),
        ("http://speed.example.kz/", "speed.example.kz", "/backend/"),
        ("http://speed.example.kz:8081/backend/", "speed.example.kz:8081", "/backend/"),
        ("https://speed.example.kz/speed/backend", "speed.example.kz", "/speed/backend/"),
        ("https://[2001:db8::1]:8444/x/", "[2001:db8::1]:8444", "/x/"),
        ("https://[2001:db8::1]:443", "[2001:db8::1]", "/backend/"),
    ],
)
def test_an_address_leads_to_a_folder(text: str, authority: str, folder: str) -> None:
    target = parse_target(text)
    assert (target.authority, target.folder) == (authority, folder)
    assert target.scheme is Scheme(text.partition(":")[0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "speed.example.kz",
        "ws://speed.example.kz",
        "http://",
        "http://host:99999",
        "http://host:0",
        "http://user:pass@host/",
        "http://host/?x=1",
        "http://host/#x",
        "http://host/a b",
        "http://host/\r\nX: y",
        "http://мектеп.kz/",
    ],
)
def test_any_other_address_is_refused_with_the_form_that_is_wanted(text: str) -> None:
    with pytest.raises(TargetError, match="http://host:port/backend/"):
        parse_target(text)
