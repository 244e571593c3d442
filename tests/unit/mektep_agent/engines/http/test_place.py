"""Addresses of pages: read strictly; which hosts are of one site; what a proxy's address means."""

import pytest

from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.http.place import Place, is_local_host, is_same_site, parse_place, target_of
from mektep_agent.engines.http.proxy import parse_proxy
from mektep_wire import FailureKind


def test_a_place_has_host_port_and_path_as_they_go_into_a_request() -> None:
    assert parse_place("https://Kundelik.kz") == Place(host="kundelik.kz", port=443, path="/")
    assert parse_place("https://a.kz:8443/x/y?z=1#part") == Place(host="a.kz", port=8443, path="/x/y?z=1")
    assert parse_place("https://мектеп.қаз/").host == "xn--e1aaogsq.xn--80ao21a"
    six = parse_place("https://[2001:db8::1]:8443/")
    assert (six.host, six.authority) == ("2001:db8::1", "[2001:db8::1]:8443")
    assert parse_place("https://a.kz/").authority == "a.kz"


@pytest.mark.parametrize(
    "target",
    [
        "http://a.kz/",
        "https:///x",
        "https://user:secret@a.kz/",
        "https://a.kz/қ",
        "https://a.kz/ x",
        "ftp://a.kz/",
        "a.kz",
    ],
)
def test_what_is_no_address_of_a_public_page_is_refused_without_its_secret(target: str) -> None:
    with pytest.raises(ValueError, match=r"https://|name|ASCII") as caught:
        parse_place(target)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("kundelik.kz", "www.kundelik.kz", True),
        ("login.kundelik.kz", "kundelik.kz", True),
        ("KUNDELIK.kz.", "kundelik.kz", True),
        ("kundelik.kz", "kundelik.com", False),
        ("kundelik.kz", "notkundelik.kz", False),
        ("a.edu.kz", "b.edu.kz", False),
        ("www.a.edu.kz", "a.edu.kz", True),
        ("a.gov.kz", "b.gov.kz", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "9.0.0.1", False),
        ("localhost", "localhost", True),
    ],
)
def test_hosts_are_of_one_site_when_they_were_registered_under_one_name(one: str, other: str, same: bool) -> None:
    assert is_same_site(one, other) is same
    assert is_same_site(other, one) is same


@pytest.mark.parametrize(
    ("host", "local"), [("hotspot", True), ("portal.lan", True), ("192.168.1.1", True), ("a.kz", False)]
)
def test_a_host_that_can_only_be_here_is_local(host: str, local: bool) -> None:
    assert is_local_host(host) is local


def test_a_redirect_is_read_as_the_standard_says() -> None:
    place = parse_place("https://a.kz/x/y?z=1")
    assert target_of(place, "w") == "https://a.kz/x/w"
    assert target_of(place, "/w?q=1#there") == "https://a.kz/w?q=1"
    assert target_of(place, "//b.kz/") == "https://b.kz/"


def test_a_proxy_may_be_written_without_scheme_and_shows_no_password() -> None:
    assert parse_proxy("proxy.lan:3128").shown == "proxy.lan:3128"
    assert parse_proxy("http://proxy.lan").port == 8080
    with_name = parse_proxy("http://kim:s%20ecret@proxy.lan:3128")
    assert with_name.authorization == "Basic a2ltOnMgZWNyZXQ="
    assert "ecret" not in with_name.shown


@pytest.mark.parametrize("address", ["socks5://proxy.lan:1080", "https://proxy.lan", "http://proxy.lan:x"])
def test_a_proxy_that_cannot_be_used_is_told(address: str) -> None:
    with pytest.raises(EngineError) as caught:
        parse_proxy(address)
    assert caught.value.kind is FailureKind.PROXY_ERROR
