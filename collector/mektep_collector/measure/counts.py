"""What a measuring server counts, in Prometheus' words: base units, and every series from the start."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from mektep_collector.measure.outcome import Outcome, Turned
from mektep_wire import Direction


class Echo(StrEnum):
    """What became of a datagram that reached the echo port."""

    ECHOED = "echoed"
    FOREIGN = "foreign"
    """It is no probe of ours: wrong first bytes, too short or too long."""
    LIMITED = "limited"
    """Its source, or all sources together, sent more than is answered."""
    NOT_SENT = "not_sent"
    """The system did not take the answer."""


class Counts:
    """One server's counters. `registry` is what its metrics page shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._tests = Counter(
            "mektep_measure_tests", "Tests that ended.", ["direction", "outcome"], registry=self.registry
        )
        self._bytes = Counter(
            "mektep_measure_payload_bytes",
            "Payload of the tests' messages, seen from the school.",
            ["direction"],
            registry=self.registry,
        )
        self._web_transfers = Counter(
            "mektep_measure_web_transfers",
            "Transfers over plain HTTP that ended: downloads and uploads of LibreSpeed, Mini and the test page.",
            ["direction"],
            registry=self.registry,
        )
        self._web_bytes = Counter(
            "mektep_measure_web_payload_bytes",
            "Bytes that those transfers carried, seen from the school.",
            ["direction"],
            registry=self.registry,
        )
        self._turned = Counter(
            "mektep_measure_connections_without_test",
            "Connections to the NDT7 ports that became no test.",
            ["reason"],
            registry=self.registry,
        )
        self._active = Gauge(
            "mektep_measure_active_tests", "Tests that run now.", ["direction"], registry=self.registry
        )
        self._echo = Counter(
            "mektep_measure_echo_packets", "Datagrams at the echo port.", ["fate"], registry=self.registry
        )
        self._congestion = Gauge(
            "mektep_measure_congestion_control",
            "1 for the algorithm that drives what the server sends.",
            ["algorithm"],
            registry=self.registry,
        )
        for direction in Direction:
            self._bytes.labels(direction.value)
            self._active.labels(direction.value)
            self._web_transfers.labels(direction.value)
            self._web_bytes.labels(direction.value)
            for outcome in Outcome:
                self._tests.labels(direction.value, outcome.value)
        for reason in Turned:
            self._turned.labels(reason.value)
        self._fates = {fate: self._echo.labels(fate.value) for fate in Echo}

    def test_began(self, direction: Direction) -> None:
        """Count one running test more."""
        self._active.labels(direction.value).inc()

    def test_ended(self, direction: Direction, outcome: Outcome, payload_bytes: int) -> None:
        """Count one running test less, and what it was."""
        self._active.labels(direction.value).dec()
        self._tests.labels(direction.value, outcome.value).inc()
        self._bytes.labels(direction.value).inc(payload_bytes)

    def web_transfer_ended(self, direction: Direction, payload_bytes: int) -> None:
        """Count one transfer over plain HTTP, whole or broken off."""
        self._web_transfers.labels(direction.value).inc()
        self._web_bytes.labels(direction.value).inc(payload_bytes)

    def turned(self, reason: Turned) -> None:
        """Count a connection that became no test."""
        self._turned.labels(reason.value).inc()

    def echo(self, fate: Echo) -> None:
        """Count a datagram."""
        self._fates[fate].inc()

    def congestion_control(self, algorithm: str) -> None:
        """Say which algorithm drives what the server sends."""
        self._congestion.labels(algorithm).set(1)
