"""The watch over a line, on a clock that moves only while the vigil sleeps, over an outbox on disk."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.vigil import VIGIL_NOTE, Vigil
from mektep_agent.engines.engine import EchoPlan, EngineError
from mektep_agent.link.gateway import Gateway
from mektep_agent.outbox.queue import Outbox
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.probes.outage.course import Rhythm
from mektep_agent.probes.outage.heart import Heart
from mektep_agent.probes.outage.heartbeat import Heartbeat
from mektep_agent.probes.outage.locate import Locator
from mektep_agent.probes.outage.place import Place
from mektep_agent.probes.outage.restart import MARK_S, Life, Memory
from mektep_agent.sample import EchoSample
from mektep_agent.uplink.clock_comparison import ClockComparison
from mektep_wire import EngineName, FailureKind, OutageCause, Reading, decode
from tests.support.agent_time import BOOT, MONDAY_NOON, OTHER_BOOT, SetTime

RHYTHM = Rhythm()
GATEWAY, SERVICE, OTHER = "192.0.2.1", "198.51.100.7", "203.0.113.9"
Line = Callable[[str, float], bool]


class Stopped(Exception):
    """The time that a test wanted to see has passed."""


class Wire:
    """An engine that is answered where the line reaches at that time; a packet that is lost takes its timeout."""

    def __init__(self, name: EngineName, desk: "Desk") -> None:
        self.name = name
        self._desk = desk

    def version(self) -> str:
        return "1.0"

    def obstacle(self) -> str | None:
        return None

    async def measure(self, target: str, plan: EchoPlan) -> EchoSample:
        self._desk.asked.append(target)
        if self._desk.line(target, self._desk.past_s):
            return EchoSample(rtts_ms=(20.0,) * plan.probe_count, duration_s=0.02, bytes_sent=32, bytes_received=32)
        self._desk.time.pass_s(plan.timeout_s)
        raise EngineError(FailureKind.NO_ANSWER, "silent", bytes_sent=32)


class CountingOutbox(Outbox):
    """The outbox itself, which counts how often a note was written by itself."""

    notes_count = 0

    def keep_note(self, name: str, content: bytes) -> None:
        self.notes_count += 1
        super().keep_note(name, content)


class Desk:
    """A vigil and all that it needs, kept over restarts on one folder."""

    def __init__(self, place: Path) -> None:
        self.time = SetTime()
        self.line: Line = lambda target, past_s: True
        self.asked: list[str] = []
        self.spent_bytes = 0
        self.school_wait_s: Callable[[float], float] = lambda past_s: 0.0
        self.is_exhausted = False
        self.steps: dict[float, float] = {}
        self.boot_id = BOOT
        self.is_compared = True
        self.kept = CountingOutbox(
            StateFolder(place), self.time, random.Random(1), max_bytes=67_108_864, ballast_bytes=0
        )
        self.outbox = ThreadedOutbox(self.kept)
        self.told: list[Reading] = []

    @property
    def past_s(self) -> float:
        return self.time.monotonic_s() - 1_000.0

    def watch(self, until_s: float) -> None:
        """Run a vigil until `until_s` have passed since noon; it ends as one that is told to."""
        known = KnownTime(self.time, self.boot_id)
        if self.is_compared:
            known.learn(
                ClockComparison(boot_id=self.boot_id, monotonic_s=self.time.monotonic_s(), true_at=self.time.now())
            )

        async def sleep(seconds: float) -> None:
            self.time.pass_s(seconds)
            for at_s in [at_s for at_s in self.steps if self.past_s >= at_s]:
                self.time.step_s(self.steps.pop(at_s))
            if self.past_s >= until_s:
                raise Stopped
            await asyncio.sleep(0)

        vigil = Vigil(
            self.outbox, known, random.Random(2), asyncio.Lock(), RHYTHM,
            school_wait_s=lambda: self.school_wait_s(self.past_s), school_s=lambda begin, end: 0.0,
            is_exhausted=lambda: self.is_exhausted, spend=self._spend, on_kept=self.told.extend, sleep=sleep,
        )  # fmt: skip
        vigil.heart = self._heart()

        async def run() -> None:
            async with asyncio.timeout(60):
                with suppress(Stopped):
                    await vigil.run()

        asyncio.run(run())

    def memory(self) -> Memory:
        return msgspec.json.decode(self.kept.note(VIGIL_NOTE) or b"", type=Memory)

    def readings(self) -> list[Reading]:
        return [decode(Reading, one.payload) for one in self.kept.parcel(100, 10**6).queued]

    def _spend(self, spent_bytes: int) -> None:
        self.spent_bytes += spent_bytes

    def _heart(self) -> Heart:
        async def nowhere(host: str, port: int, timeout_s: float) -> str:
            raise AssertionError("every place here is an address")

        udp, tcp, icmp = (Wire(name, self) for name in (EngineName.UDP_ECHO, EngineName.TCP_CONNECT, EngineName.ICMP))
        service, other = Place(SERVICE, 8082, nowhere), Place(OTHER, 443, nowhere)
        heartbeat = Heartbeat(udp, tcp, service, service, service)
        locator = Locator(lambda: Gateway(GATEWAY, "eth0"), icmp, tcp, heartbeat, [other])
        return Heart(target=f"udp://{SERVICE}:8082", heartbeat=heartbeat, locator=locator)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.outbox.close()


def down(begin_s: float, end_s: float, *beyond: str) -> Line:
    """Return a line on which nothing but what `beyond` names is reached for a time."""
    return lambda target, past_s: not begin_s <= past_s < end_s or any(host in target for host in beyond)


def test_an_outage_is_kept_with_its_times_and_its_cause(desk: Desk) -> None:
    desk.line = down(1_000.0, 2_800.0, GATEWAY)
    desk.watch(4_000.0)
    (reading,) = desk.readings()
    assert reading.outage is not None
    assert reading.outage.cause is OutageCause.PROVIDER
    began_s = (reading.started_at - MONDAY_NOON).total_seconds()
    assert 0.0 <= began_s - 1_000.0 <= RHYTHM.period_s
    assert 0.0 <= began_s + reading.duration_s - 2_800.0 <= RHYTHM.period_s
    assert desk.told == [reading]


@pytest.mark.parametrize(
    ("beyond", "cause"),
    [((), OutageCause.LAN), ((GATEWAY,), OutageCause.PROVIDER), ((GATEWAY, OTHER), OutageCause.SERVICE)],
)
def test_the_cause_is_where_the_answers_end(desk: Desk, beyond: tuple[str, ...], cause: OutageCause) -> None:
    desk.line = down(1_000.0, 2_000.0, *beyond)
    desk.watch(3_000.0)
    (reading,) = desk.readings()
    assert reading.outage is not None
    assert reading.outage.cause is cause


def test_an_outage_that_is_open_at_the_end_goes_on_with_the_next_start(desk: Desk) -> None:
    desk.line = down(1_000.0, 5_000.0, GATEWAY)
    desk.watch(2_000.0)
    assert desk.readings() == []
    assert (desk.memory().life, desk.memory().course.is_open) == (Life.RESTING, True)
    desk.watch(6_000.0)
    (reading,) = desk.readings()
    assert reading.duration_s == pytest.approx(4_000.0, abs=RHYTHM.period_s)
    assert desk.memory().course.is_open is False


@pytest.mark.parametrize("step_s", [-86_400.0 * 400, 3_600.0])
def test_a_clock_that_is_set_meanwhile_moves_neither_begin_nor_length(desk: Desk, step_s: float) -> None:
    desk.line = down(1_000.0, 2_800.0, GATEWAY)
    desk.steps = {1_800.0: step_s}
    desk.watch(4_000.0)
    (reading,) = desk.readings()
    assert reading.duration_s == pytest.approx(1_800.0, abs=RHYTHM.period_s)
    assert 0.0 <= reading.started_monotonic_s - 2_000.0 <= RHYTHM.period_s
    assert (reading.started_at - desk.time.now()).total_seconds() == pytest.approx(
        reading.started_monotonic_s - desk.time.monotonic_s(), abs=1e-3
    )


def test_another_boot_after_an_end_without_order_is_a_power_cut_told_once_the_time_is_known(desk: Desk) -> None:
    desk.watch(2_000.0)
    killed = msgspec.structs.replace(desk.memory(), life=Life.WATCHING)
    desk.kept.keep_note(VIGIL_NOTE, msgspec.json.encode(killed))
    desk.time.pass_s(1_800.0)
    desk.boot_id, desk.is_compared = OTHER_BOOT, False
    desk.watch(desk.past_s + 600.0)
    assert desk.readings() == []
    desk.is_compared = True
    desk.watch(desk.past_s + 600.0)
    (reading,) = desk.readings()
    assert reading.outage is not None
    assert (reading.outage.cause, reading.outage.boots_count) == (OutageCause.POWER, 2)
    assert reading.duration_s == pytest.approx(1_800.0, abs=RHYTHM.period_s)


def test_no_packet_is_sent_outside_school_hours_nor_when_the_data_is_used_up(desk: Desk) -> None:
    desk.school_wait_s = lambda past_s: max(0.0, 10_000.0 - past_s)
    desk.watch(9_990.0)
    assert desk.asked == []
    desk.is_exhausted = True
    desk.watch(20_000.0)
    assert desk.asked == []


def test_an_outage_at_closing_time_is_watched_to_its_end(desk: Desk) -> None:
    desk.line = down(1_000.0, 9_000.0, GATEWAY)
    desk.school_wait_s = lambda past_s: 0.0 if past_s < 2_000.0 else 60_000.0
    desk.watch(12_000.0)
    (reading,) = desk.readings()
    assert reading.duration_s == pytest.approx(8_000.0, abs=2 * RHYTHM.period_s)
    assert desk.memory().life is Life.RESTING


def test_a_quiet_hour_costs_sixty_packets_and_a_dozen_writes(desk: Desk) -> None:
    desk.watch(3_600.0)
    beats = [target for target in desk.asked if target.startswith("udp:")]
    assert 55 <= len(beats) <= 61
    assert desk.spent_bytes <= 61 * 120
    assert desk.kept.notes_count <= 3_600.0 / MARK_S + 3


def test_a_memory_that_does_not_read_is_begun_anew(desk: Desk) -> None:
    desk.kept.keep_note(VIGIL_NOTE, b"{")
    desk.watch(600.0)
    assert desk.memory().course.is_open is False
