"""No assignment and no resolver can turn an agent on the network that it stands in."""

import asyncio
import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.config import LocalTargets
from mektep_agent.engines.assigned import AssignedTargets, Reach, is_public
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.resolve import Address
from mektep_wire import FailureKind

INTRANET = (
    "10.0.0.1", "10.255.255.254", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.254",
    "fc00::1", "fd12:3456::1", "::ffff:10.0.0.1", "::ffff:192.168.1.1", "64:ff9b::10.0.0.1", "2002:a00:1::",
)  # fmt: skip
"""Private networks and shared space, plain and inside IPv6."""
NOWHERE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "169.254.0.1", "169.254.169.254", "192.0.2.7",  # noqa: S104
    "198.18.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "::7f00:1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::",
)  # fmt: skip
"""This computer, its link, groups, metadata services of clouds, and what leads nowhere, plain and inside IPv6."""
OUTSIDE = ("8.8.8.8", "185.116.194.1", "2a00:1450:4010::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::")
PLATFORM = "platform.example"


def at(*hosts: str) -> tuple[Address, ...]:
    return tuple(Address(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, 443)) for host in hosts)


def targets(
    local_targets: LocalTargets = LocalTargets.REFUSED, gateway: str | None = None, collector: str = ""
) -> AssignedTargets:
    return AssignedTargets(Reach(local_targets=local_targets, collector_address=collector), lambda: gateway)


def refusal(subject: AssignedTargets, host: str, *addresses: str) -> EngineError:
    with pytest.raises(EngineError, match="not contacted") as caught:
        subject.permitted(host, at(*addresses))
    return caught.value


@pytest.mark.parametrize("address", [*INTRANET, *NOWHERE])
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_public(address)
    assert refusal(targets(), PLATFORM, address).kind is FailureKind.DNS_BOGUS
    refusal(targets(gateway="192.168.77.1", collector="10.77.0.1"), PLATFORM, address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_public_is_let_be(address: str) -> None:
    assert targets().permitted(PLATFORM, at(address)) == at(address)


def test_of_several_addresses_only_the_public_ones_are_used() -> None:
    found = targets().permitted(PLATFORM, at("10.0.0.1", "8.8.8.8", "::1"))
    assert found == at("8.8.8.8")


@pytest.mark.parametrize("gateway", ["192.168.1.1", "fe80::1%eth0"])
def test_the_own_gateway_may_be_asked_and_nothing_beside_it(gateway: str) -> None:
    plain = gateway.partition("%")[0]
    found = targets(gateway=gateway).permitted("router.example", at(plain, "192.168.1.2", "fe80::2"))
    assert found == at(plain)


@pytest.mark.parametrize("collector", ["10.20.0.5", "127.0.0.1", "fd00::5"])
def test_the_collector_that_a_person_enrolled_with_may_be_measured_and_nothing_beside_it(collector: str) -> None:
    found = targets(collector=collector).permitted(collector, at(collector, "10.20.0.6", "127.0.0.2", "fd00::6"))
    assert found == at(collector)


@pytest.mark.parametrize("address", INTRANET)
def test_the_setting_for_an_intranet_opens_private_networks(address: str) -> None:
    assert targets(LocalTargets.INTRANET).permitted("meter.example", at(address)) == at(address)


@pytest.mark.parametrize("address", NOWHERE)
def test_the_setting_for_an_intranet_opens_nothing_else(address: str) -> None:
    refusal(targets(LocalTargets.INTRANET), "meter.example", address)


@pytest.mark.parametrize("address", [*INTRANET, *NOWHERE])
def test_the_setting_for_tests_lifts_the_check(address: str) -> None:
    assert targets(LocalTargets.ALLOWED).permitted("localhost", at(address)) == at(address)


@pytest.mark.parametrize("host", ["10.1.2.3", "127.0.0.1", "fe80::1%eth0", "localhost", "schoolserver"])
def test_an_assignment_that_names_such_a_place_itself_is_no_lie_of_the_resolver(host: str) -> None:
    assert refusal(targets(), host, "10.1.2.3").kind is FailureKind.ENGINE_UNAVAILABLE


@pytest.mark.parametrize(
    ("address", "advice"), [("10.1.2.3", 'local_targets = "intranet"'), ("169.254.169.254", "collector's operator")]
)
def test_a_refusal_says_what_to_do(address: str, advice: str) -> None:
    assert advice in refusal(targets(), PLATFORM, address).detail


def test_what_is_looked_up_is_what_is_checked() -> None:
    answers = [at("8.8.8.8"), at("127.0.0.1")]

    async def look_up(_host: str, _port: int, _timeout_s: float) -> tuple[Address, ...]:
        return answers.pop(0)

    subject = AssignedTargets(Reach(), lambda: None, look_up)
    assert asyncio.run(subject.resolve(PLATFORM, 443, 1.0)) == at("8.8.8.8")
    with pytest.raises(EngineError, match="not contacted"):
        asyncio.run(subject.resolve(PLATFORM, 443, 1.0))


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_as_public_as_it_is_itself(address: ipaddress.IPv4Address) -> None:
    packed = int(address)
    for inside in (f"::ffff:{address}", f"64:ff9b::{address}", f"2002:{packed >> 16:x}:{packed & 0xFFFF:x}::"):
        assert is_public(inside) == is_public(str(address))
    if address.is_private or address.is_loopback or address.is_multicast or address.is_link_local:
        assert not is_public(str(address))
