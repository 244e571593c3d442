"""The platform probe: a reading for each platform, one after the other, whatever each does."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

import pytest

from mektep_agent.engines.engine import EngineError
from mektep_agent.probes.platform import DIRECT_METHOD, PROXY_METHOD, Platform, PlatformProbe, platforms_of
from mektep_agent.probes.probe import Run
from mektep_agent.sample import PageSample
from mektep_wire import (
    Assignment,
    EngineName,
    FailureKind,
    Metric,
    Outcome,
    ProbeName,
    Reading,
    Target,
    Trigger,
)
from tests.support.set_time import SetTime

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RUN = Run(trigger=Trigger.INTERVAL, boot_id="00000000-0000-4000-8000-000000000001")


def page(by_proxy: str | None = None, total_ms: float = 200.0) -> PageSample:
    return PageSample(
        dns_lookup_ms=None if by_proxy else 12.0,
        tcp_connect_ms=None if by_proxy else 40.0,
        tls_handshake_ms=90.0,
        ttfb_ms=150.0,
        small_object_ms=total_ms,
        status=200,
        body_bytes=2_000,
        is_whole=True,
        redirects_count=1,
        by_proxy=by_proxy,
        bytes_sent=800,
        bytes_received=6_000,
    )


class Pages:
    """Implements `PageEngine` from a table; says what it was asked, in order."""

    def __init__(self, pages: Mapping[str, PageSample | EngineError]) -> None:
        self._pages = pages
        self.asked: list[tuple[str, str | None]] = []
        self.under_way_count = 0

    @property
    def name(self) -> EngineName:
        return EngineName.HTTP

    def version(self) -> str:
        return "1.0"

    def obstacle(self) -> str | None:
        return None

    async def measure(self, target: str, expected_text: str | None) -> PageSample:
        self.under_way_count += 1
        assert self.under_way_count == 1, "one request at a time"
        await asyncio.sleep(0)
        self.under_way_count -= 1
        self.asked.append((target, expected_text))
        found = self._pages[target]
        if isinstance(found, EngineError):
            raise found
        return found


def run(pages: Mapping[str, PageSample | EngineError], seed: int = 1) -> tuple[Mapping[str, Reading], Pages]:
    engine = Pages(pages)
    platforms = [Platform(address=address, expected_text="text") for address in pages]
    probe = PlatformProbe(engine, platforms, SetTime(NOW), Random(seed), pause_s=(0.0, 0.0))
    readings = asyncio.run(probe.run(RUN))
    assert [reading.seq for reading in readings] == list(range(1, len(pages) + 1))
    return {reading.target: reading for reading in readings}, engine


def test_each_platform_has_its_reading_whatever_the_others_do() -> None:
    refused = EngineError(FailureKind.HTTP_SERVER_ERROR, "503", bytes_sent=700, bytes_received=4_000)
    found, engine = run({"https://a.example/": page(), "https://b.example/": refused})
    good, bad = found["https://a.example/"], found["https://b.example/"]
    assert good.values == {
        Metric.DNS_LOOKUP_MS: 12.0,
        Metric.TCP_CONNECT_MS: 40.0,
        Metric.TLS_HANDSHAKE_MS: 90.0,
        Metric.TTFB_MS: 150.0,
        Metric.SMALL_OBJECT_MS: 200.0,
        Metric.REDIRECTS_COUNT: 1.0,
    }
    assert set(good.sample_counts.values()) == {1}
    assert (good.method, good.bytes_received, good.probe) == (DIRECT_METHOD, 6_000, ProbeName.PLATFORM)
    assert bad.outcome is Outcome.FAILED
    assert bad.failure is not None
    assert bad.failure.kind is FailureKind.HTTP_SERVER_ERROR
    assert (bad.bytes_sent, bad.bytes_received) == (700, 4_000)
    assert {text for _, text in engine.asked} == {"text"}


def test_behind_a_proxy_the_method_says_so_and_the_proxys_steps_have_no_value() -> None:
    found, _ = run({"https://a.example/": page(by_proxy="proxy:3128")})
    reading = found["https://a.example/"]
    assert reading.method == PROXY_METHOD
    assert Metric.DNS_LOOKUP_MS not in reading.values
    assert Metric.TCP_CONNECT_MS not in reading.values


def test_the_order_is_drawn_anew() -> None:
    pages = {f"https://{letter}.example/": page() for letter in "abcdef"}
    orders = {tuple(target for target, _ in run(pages, seed)[1].asked) for seed in range(8)}
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset(pages)}


def test_a_time_that_cannot_be_makes_a_failure() -> None:
    found, _ = run({"https://a.example/": page(total_ms=1e9)})
    failure = found["https://a.example/"].failure
    assert failure is not None
    assert failure.kind is FailureKind.PROTOCOL_ERROR


def assigned(*targets: Target) -> Assignment:
    return Assignment(
        version=1,
        device_id="019aaaaa-0000-7000-8000-000000000001",
        issued_at=NOW,
        time_zone="Asia/Almaty",
        school_hours=(),
        holiday_country=None,
        days_off=(),
        working_days=(),
        throughput_slots_count=4,
        latency_interval_s=900.0,
        path_interval_s=3_600.0,
        send_interval_s=900.0,
        month_budget_bytes=None,
        targets=targets,
        norm_mbps=None,
        contracted_download_mbps=None,
        contracted_upload_mbps=None,
    )


def test_the_platforms_are_those_of_the_assignment_each_once_and_in_order() -> None:
    assignment = assigned(
        Target(probe=ProbeName.THROUGHPUT, address="ws://m.example:8081"),
        Target(probe=ProbeName.PLATFORM, address="https://b.example/", name="B", expected_text="b"),
        Target(probe=ProbeName.PLATFORM, address="https://a.example/"),
        Target(probe=ProbeName.PLATFORM, address="https://b.example/"),
    )
    assert platforms_of(assignment) == (
        Platform(address="https://b.example/", expected_text="b"),
        Platform(address="https://a.example/"),
    )


def test_a_platform_without_tls_is_refused_where_the_target_is_made() -> None:
    with pytest.raises(ValueError, match="https://"):
        Target(probe=ProbeName.PLATFORM, address="http://a.example/")
