"""No assignment and no resolver can turn an agent on the network that it stands in."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.config import LocalTargets
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.http.allowed import allowed, is_public
from mektep_agent.engines.resolve import Address
from mektep_wire import FailureKind

INSIDE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1",  # noqa: S104
    "169.254.169.254", "100.64.0.1", "192.0.2.7", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1",
    "2002:7f00:1::", "2002:a00:1::",
)  # fmt: skip
OUTSIDE = ("8.8.8.8", "185.116.194.1", "2a00:1450:4010::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8")


def at(*hosts: str) -> list[Address]:
    return [Address(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, 443)) for host in hosts]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_refused(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(EngineError, match="not a public address") as caught:
        allowed("platform.example", at(address), None, LocalTargets.REFUSED)
    assert caught.value.kind is FailureKind.DNS_BOGUS


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_public_is_let_be(address: str) -> None:
    assert allowed("platform.example", at(address), None, LocalTargets.REFUSED) == tuple(at(address))


def test_of_several_addresses_only_the_public_ones_are_used() -> None:
    found = allowed("platform.example", at("10.0.0.1", "8.8.8.8", "::1"), None, LocalTargets.REFUSED)
    assert [address.host for address in found] == ["8.8.8.8"]


def test_the_own_gateway_may_be_asked_and_nothing_beside_it() -> None:
    found = allowed("router.example", at("192.168.1.1", "192.168.1.2"), "192.168.1.1", LocalTargets.REFUSED)
    assert [address.host for address in found] == ["192.168.1.1"]


def test_the_setting_for_tests_lifts_the_check() -> None:
    assert allowed("localhost", at("127.0.0.1"), None, LocalTargets.ALLOWED) == tuple(at("127.0.0.1"))


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_as_public_as_it_is_itself(address: ipaddress.IPv4Address) -> None:
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert is_public(f"64:ff9b::{address}") == is_public(str(address))
    if address.is_private or address.is_loopback or address.is_multicast:
        assert not is_public(str(address))
