"""A school's computer as the collector knows it, with its key: makes realistic readings and signed batches."""

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mektep_collector.journal.submission import Submission, open_submission
from mektep_collector.registry.records import Device, DeviceStatus
from mektep_wire import (
    Access,
    Batch,
    Clock,
    ClockStatus,
    Conditions,
    Direction,
    EngineName,
    Failure,
    FailureKind,
    Interval,
    Metric,
    Outcome,
    Power,
    ProbeName,
    Purpose,
    Reading,
    StopReason,
    Trigger,
    Vpn,
    encode,
    format_signature,
    new_uuid7,
    pack,
    signing_input,
)

NOON = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""A school day's noon in Almaty; what these readings are told to stand around."""

_DOWNLOAD = (ProbeName.THROUGHPUT, EngineName.NDT7, "ws://measure.example:8081", Trigger.SLOT)
_ROUND_TRIPS = (ProbeName.LATENCY, EngineName.UDP_ECHO, "udp://measure.example:8082", Trigger.INTERVAL)
_GATEWAY = (ProbeName.PATH, EngineName.ICMP, "gateway", Trigger.INTERVAL)
_NAMES = (ProbeName.PATH, EngineName.DNS, "dns://measure.example", Trigger.INTERVAL)
_KINDS = (_DOWNLOAD, _ROUND_TRIPS, _GATEWAY, _ROUND_TRIPS, _NAMES, _ROUND_TRIPS)


class SchoolDevice:
    """One enrolled computer with all that it draws from `seed`."""

    def __init__(self, seed: int = 0, school_id: str = "0007") -> None:
        self.random = Random(seed)
        self.key = Ed25519PrivateKey.from_private_bytes(self.random.randbytes(32))
        self.epoch = self.new_id()
        self.boot_id = self.new_id()
        self.token = f"mkd_{self.random.getrandbits(160):040x}"
        self.record = Device(
            id=self.new_id(),
            school_id=school_id,
            public_key=self.key.public_key().public_bytes_raw(),
            status=DeviceStatus.ACTIVE,
            enrolled_at=NOON - timedelta(days=30),
            agent_version="0.1.0",
            platform="linux",
        )

    def new_id(self) -> str:
        """Return a UUID of no particular version."""
        return str(UUID(int=self.random.getrandbits(128)))

    def reading(
        self,
        seq: int,
        at: datetime = NOON,
        *,
        epoch: str | None = None,
        boot_id: str | None = None,
        monotonic_s: float | None = None,
        outcome: Outcome = Outcome.OK,
    ) -> Reading:
        """Return a reading as the agent's outbox would number it, in about the mix of a school day.

        Of six, one is a download test, three are round trips, two are steps of the path. The monotonic clock reads
        1,000,000 s at NOON unless told.
        """
        draw = self.random
        mono_s = 1e6 + (at - NOON).total_seconds() if monotonic_s is None else monotonic_s
        probe, engine, target, trigger = _KINDS[seq % 6]
        throughput = probe is ProbeName.THROUGHPUT
        values = self._values(engine)
        if outcome is not Outcome.OK:
            values = {}
        return Reading(
            id=new_uuid7(at, draw),
            epoch=epoch or self.epoch,
            seq=seq,
            probe=probe,
            engine=engine,
            engine_version="0.1.0",
            target=target,
            trigger=trigger,
            started_at=at,
            started_monotonic_s=round(mono_s, 6),
            boot_id=boot_id or self.boot_id,
            duration_s=round(draw.uniform(1, 10), 6),
            outcome=outcome,
            clock=Clock(
                status=ClockStatus.COMPARED,
                offset_s=round(draw.gauss(0, 1), 6),
                compared_s=round(draw.uniform(1, 900), 3),
            ),
            direction=Direction.DOWNLOAD if throughput else None,
            method="full_length/1" if throughput else None,
            slot=f"{at:%Y-%m-%d}/2" if throughput else None,
            values=values,
            sample_counts=dict.fromkeys(values, 10),
            intervals={Metric.PACKET_LOSS_RATIO: Interval(low=0.0, high=0.2775, confidence_ratio=0.95)}
            if Metric.PACKET_LOSS_RATIO in values
            else {},
            bytes_sent=draw.randrange(10**6),
            bytes_received=draw.randrange(10**8),
            failure=Failure(kind=FailureKind.CONNECT_TIMEOUT, detail="no answer within 7 s")
            if outcome is Outcome.FAILED
            else None,
            stop_reason=StopReason.FULL_LENGTH if throughput and outcome is Outcome.OK else None,
            conditions=Conditions(
                access=Access.WIRED, power=Power.MAINS, vpn=Vpn.ABSENT, cpu_ratio=round(draw.random(), 4)
            ),
        )

    def _values(self, engine: EngineName) -> dict[Metric, float]:
        draw = self.random
        rtt_ms = draw.uniform(8, 60)
        if engine is EngineName.NDT7:
            return {
                Metric.DOWNLOAD_THROUGHPUT_MBPS: round(abs(draw.gauss(20, 3)), 6),
                Metric.DOWNLOAD_NDT7_MBPS: round(abs(draw.gauss(19, 3)), 6),
                Metric.LOADED_RTT_MS: round(draw.uniform(30, 300), 3),
                Metric.RETRANSMISSION_RATIO: round(draw.random() / 100, 6),
            }
        if engine is EngineName.ICMP:
            return {Metric.GATEWAY_RTT_MS: round(rtt_ms / 20, 3), Metric.GATEWAY_LOSS_RATIO: 0.0}
        if engine is EngineName.DNS:
            return {Metric.DNS_LOOKUP_MS: round(rtt_ms, 3)}
        return {
            Metric.IDLE_RTT_MS: round(rtt_ms, 3),
            Metric.IDLE_RTT_MIN_MS: round(rtt_ms * 0.9, 3),
            Metric.IDLE_RTT_P95_MS: round(rtt_ms * 1.5, 3),
            Metric.RTT_PDV_P95_MS: round(rtt_ms * 0.6, 3),
            Metric.PACKET_LOSS_RATIO: 0.0,
        }

    def batch(
        self,
        readings: Sequence[Reading | bytes],
        sent_at: datetime = NOON,
        *,
        sent_monotonic_s: float | None = None,
        device_id: str | None = None,
    ) -> bytes:
        """Return the exact bytes of a batch; readings may be raw JSON, good or bad."""
        mono_s = 1e6 + (sent_at - NOON).total_seconds() if sent_monotonic_s is None else sent_monotonic_s
        return encode(
            Batch(
                id=new_uuid7(NOON, self.random),
                device_id=device_id or self.record.id,
                agent_version="0.1.0",
                sent_at=sent_at,
                sent_monotonic_s=mono_s,
                boot_id=self.boot_id,
                readings=pack([each if isinstance(each, bytes) else encode(each) for each in readings]),
            )
        )

    def sign(self, body: bytes) -> bytes:
        """Return the device's signature over a request's body as it is sent."""
        return self.key.sign(signing_input(Purpose.BATCH, body))

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the request headers of a body sent with gzip."""
        return {
            "Authorization": f"Bearer {self.token}",
            "Content-Encoding": "gzip",
            "Content-Type": "application/json",
            "Mektep-Signature": format_signature(self.sign(body)),
        }

    def submission(self, body: bytes, received_at: datetime = NOON) -> Submission:
        """Return a batch as the collector opens it."""
        packed = gzip.compress(body, mtime=0)
        return open_submission(self.record, body, packed, self.sign(packed), received_at)
