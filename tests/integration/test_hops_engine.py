"""Packets that live for so many hops, on this machine's loopback: the first hop is the target."""

import asyncio
import sys

import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.engines.hops import HopEngine

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="other systems hand ICMP answers to administrators"),
    pytest.mark.alone,
]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_target_itself_answers(address: str) -> None:
    engine = HopEngine(SystemTime())
    assert engine.obstacle() is None
    found = asyncio.run(engine.measure(address, 1, 2.0))
    assert found is not None
    assert found.is_target
    assert found.address == address
    assert 0 < found.rtt_ms < 1_000


def test_what_cannot_be_sent_is_no_answer() -> None:
    assert asyncio.run(HopEngine(SystemTime()).measure("255.255.255.255", 1, 0.2)) is None
