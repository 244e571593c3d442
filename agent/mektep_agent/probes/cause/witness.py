"""The verdict on what was seen around a test: each reading that was slow or failed gets its diagnosis."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from mektep_agent.engines.hops import PACKET_BYTES
from mektep_agent.link.gateway import Gateway
from mektep_agent.link.radio import AccessLink
from mektep_agent.probes.cause.failed import REACHED
from mektep_agent.probes.cause.finding import Finding
from mektep_agent.probes.cause.lookout import Beside, Lookout
from mektep_agent.probes.cause.processor import busy_ratios
from mektep_agent.probes.cause.rounds import between
from mektep_agent.probes.cause.verdict import cause_of, is_slow
from mektep_agent.probes.outage.cause import Looks
from mektep_agent.probes.outage.locate import Locator
from mektep_wire import (
    Conditions,
    Direction,
    Evidence,
    ExpectedFrom,
    Metric,
    Outcome,
    ProbeName,
    Reading,
    Seen,
    Trips,
)

LOOK_TIMEOUT_S: Final = 3.0
_EXPLAINED: Final = frozenset({ProbeName.THROUGHPUT, ProbeName.LATENCY, ProbeName.PLATFORM})
_VALUE: Final = {
    Direction.DOWNLOAD: Metric.DOWNLOAD_THROUGHPUT_MBPS,
    Direction.UPLOAD: Metric.UPLOAD_THROUGHPUT_MBPS,
}


class Expected(msgspec.Struct, frozen=True):
    """What a direction should give, and who says so."""

    mbps: float
    source: ExpectedFrom


class Witness:
    """Explains readings; `lookout` looks while they are taken, `locator` looks at the path after one went wrong."""

    def __init__(
        self,
        lookout: Lookout,
        locator: Locator,
        gateway: Callable[[], Gateway | None],
        access: Callable[[str, Conditions], AccessLink],
        expected: Mapping[Direction, Expected],
    ) -> None:
        self.lookout = lookout
        self._locator = locator
        self._gateway = gateway
        self._access = access
        self._expected = expected

    async def explain(self, readings: Sequence[Reading], seen: Beside) -> Sequence[Reading]:
        """Return the readings, each that is slow or failed with its diagnosis; looks again where there is one."""
        looked: Looks | None = None
        explained: list[Reading] = []
        for reading in readings:
            told = self._with_processors(reading, seen)
            if self._wants_cause(told):
                if looked is None:
                    looked = await self._locator.look(LOOK_TIMEOUT_S)
                evidence = await self._evidence(told, seen, looked)
                told = msgspec.structs.replace(told, diagnosis=cause_of(finding_of(told, evidence)))
            explained.append(told)
        if explained and seen.packets_count:
            first = explained[0]
            explained[0] = msgspec.structs.replace(
                first,
                bytes_sent=first.bytes_sent + PACKET_BYTES * seen.packets_count,
                bytes_received=first.bytes_received + PACKET_BYTES * seen.returned_count,
            )
        return explained

    def _wants_cause(self, reading: Reading) -> bool:
        if reading.probe not in _EXPLAINED or reading.diagnosis is not None:
            return False
        if reading.outcome is Outcome.FAILED:
            return True
        value, expected = _value_of(reading), self._expected_of(reading)
        return value is not None and expected is not None and is_slow(value, expected.mbps)

    def _expected_of(self, reading: Reading) -> Expected | None:
        return self._expected.get(reading.direction) if reading.direction is not None else None

    def _with_processors(self, reading: Reading, seen: Beside) -> Reading:
        ratios = busy_ratios(seen.processor_looks, *_whole_time(reading))
        if ratios is None:
            return reading
        conditions = msgspec.structs.replace(reading.conditions, cpu_ratio=ratios[0])
        return msgspec.structs.replace(reading, conditions=conditions)

    async def _evidence(self, reading: Reading, seen: Beside, looked: Looks) -> Evidence:
        gateway = self._gateway()
        interface = gateway.interface if gateway is not None else ""
        access = await asyncio.to_thread(self._access, interface, reading.conditions)
        begin_s, end_s = _whole_time(reading)
        ratios = busy_ratios(seen.processor_looks, begin_s, end_s)
        expected = self._expected_of(reading)
        is_platform = reading.probe is ProbeName.PLATFORM
        hops_loaded = [between(rounds, begin_s, end_s) for rounds in seen.hop_rounds]
        known_to_answer = looked.gateway_answers or _answered(seen.gateway_idle)
        return Evidence(
            expected_mbps=None if expected is None else expected.mbps,
            expected_from=None if expected is None else expected.source,
            gateway_idle=seen.gateway_idle,
            gateway_loaded=between(seen.gateway_rounds, begin_s, end_s),
            hops_idle=seen.hops_idle,
            hops_loaded=tuple(each or Trips(asked_count=0, answered_count=0) for each in hops_loaded),
            target_idle=seen.target_idle,
            target_loaded=between(seen.target_rounds, begin_s, end_s),
            gateway=None if looked.gateway is Seen.SILENT and not known_to_answer else looked.gateway,
            names=looked.names,
            target=None if is_platform else looked.service,
            others=_better(looked.service, looked.others) if is_platform else looked.others,
            others_asked_count=looked.others_asked_count + is_platform,
            others_answered_count=looked.others_answered_count + (is_platform and looked.service in REACHED),
            wifi_signal_dbm=access.wifi_signal_dbm,
            link_speed_mbps=access.link_speed_mbps,
            processor_busy_ratio=None if ratios is None else ratios[1],
            receiver_limited_ratio=reading.values.get(Metric.RECEIVER_LIMITED_RATIO),
        )


def finding_of(reading: Reading, evidence: Evidence) -> Finding:
    """Return what a verdict on `reading` is made from."""
    return Finding(
        evidence=evidence,
        conditions=reading.conditions,
        failure=reading.failure.kind if reading.failure is not None else None,
        value_mbps=_value_of(reading),
        retransmission_ratio=reading.values.get(Metric.RETRANSMISSION_RATIO),
    )


def _value_of(reading: Reading) -> float | None:
    return reading.values.get(_VALUE[reading.direction]) if reading.direction is not None else None


def _whole_time(reading: Reading) -> tuple[float, float]:
    return reading.started_monotonic_s, reading.started_monotonic_s + reading.duration_s


def _answered(trips_: Trips | None) -> bool:
    return trips_ is not None and trips_.answered_count > 0


def _better(one: Seen, other: Seen) -> Seen:
    order = (Seen.ANSWERED, Seen.REFUSED, Seen.SILENT, Seen.ABSENT)
    return min(one, other, key=order.index)
