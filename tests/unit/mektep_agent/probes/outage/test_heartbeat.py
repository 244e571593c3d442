"""The heartbeat: one packet, by TCP where UDP is closed, and a name now and then."""

import asyncio

from mektep_agent.engines.engine import EngineError
from mektep_agent.probes.outage.heartbeat import Beat, Heartbeat
from mektep_agent.probes.outage.place import Place
from mektep_wire import EngineName, FailureKind, Seen
from tests.support.scripted_engines import ScriptedEcho

SILENT = EngineError(FailureKind.NO_ANSWER, "silent", bytes_sent=32)


class Names:
    """A resolver that a test switches off; counts what it was asked."""

    def __init__(self) -> None:
        self.asked_count = 0
        self.is_answering = True

    async def address(self, host: str, port: int, timeout_s: float) -> str:
        self.asked_count += 1
        if not self.is_answering:
            raise EngineError(FailureKind.DNS_TIMEOUT, "silent")
        return "192.0.2.7"


def beats(count: int, echo: ScriptedEcho, connect: ScriptedEcho, names: Names, *, thorough: bool = False) -> list[Beat]:
    place = Place("measure.example", 8082, names.address)
    heart = Heartbeat(echo, connect, place, place, place)

    async def beat() -> list[Beat]:
        return [await heart.beat(1.0, thorough=thorough) for _ in range(count)]

    return asyncio.run(beat())


def test_a_beat_is_one_packet_and_costs_what_it_is() -> None:
    echo, connect, names = (
        ScriptedEcho(EngineName.UDP_ECHO, [9.0]), ScriptedEcho(EngineName.TCP_CONNECT, [9.0]), Names(),
    )  # fmt: skip
    found = beats(10, echo, connect, names)
    assert all(beat.is_answered for beat in found)
    assert connect.asked == []
    assert names.asked_count == 2
    assert echo.asked == ["udp://192.0.2.7:8082"] * 10


def test_where_udp_is_closed_connections_are_the_beat_and_udp_is_left_alone_for_a_while() -> None:
    echo, connect = ScriptedEcho(EngineName.UDP_ECHO, SILENT), ScriptedEcho(EngineName.TCP_CONNECT, [9.0])
    found = beats(20, echo, connect, Names())
    assert all(beat.is_answered for beat in found)
    assert len(echo.asked) == 1


def test_a_line_that_is_dead_is_asked_both_ways() -> None:
    echo, connect = ScriptedEcho(EngineName.UDP_ECHO, SILENT), ScriptedEcho(EngineName.TCP_CONNECT, SILENT)
    (beat,) = beats(1, echo, connect, Names())
    assert not beat.is_answered
    assert (len(echo.asked), len(connect.asked)) == (1, 1)
    assert beat.spent_bytes > 64


def test_a_resolver_that_is_dead_is_noticed_though_the_address_is_known() -> None:
    names = Names()
    place = Place("measure.example", 8082, names.address)
    echo = ScriptedEcho(EngineName.UDP_ECHO, [9.0])
    heart = Heartbeat(echo, echo, place, place, place)

    async def beat() -> list[Beat]:
        first = await heart.beat(1.0, thorough=False)
        names.is_answering = False
        return [first, *[await heart.beat(1.0, thorough=False) for _ in range(5)]]

    found = asyncio.run(beat())
    assert [one.is_answered for one in found] == [True, True, True, True, True, False]
    assert found[-1].names is Seen.SILENT
