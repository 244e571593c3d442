"""`mektep-agent measure`: one measurement against any server that an engine knows, without enrolment."""

import asyncio
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mektep_agent.cli.settle import ConfigOption, fail, settle
from mektep_agent.clock import SystemTime, TimeSource
from mektep_agent.daemon.attended import attended
from mektep_agent.daemon.exit_code import ExitCode
from mektep_agent.engines.speedtest import Consent
from mektep_agent.link.boot import boot_id
from mektep_agent.link.conditions import conditions
from mektep_agent.link.counters import crossed
from mektep_agent.link.gateway import default_gateway
from mektep_agent.link.one_test import OtherTestError
from mektep_agent.probes.audit.conduct import Part, Unlearnt
from mektep_agent.probes.audit.frugal import Frugal
from mektep_agent.probes.cause.build import build_witness
from mektep_agent.probes.cause.witness import Expected, Witness
from mektep_agent.probes.cause.words import WORDS
from mektep_agent.probes.manner import AlwaysFullLength, Manner
from mektep_agent.probes.outage.heart import build_heart
from mektep_agent.probes.probe import Probe, Run
from mektep_agent.probes.table import FULL_LENGTH_LIMITS, Targets, build_probes
from mektep_agent.probes.throughput_engines import build_throughput_engine, targets_for
from mektep_wire import METRICS, Direction, EngineName, ExpectedFrom, FailureKind, Outcome, ProbeName, Reading, Trigger

_FAILED, _OUT_OF_REACH = 1, 4
_UNREACHED = {
    FailureKind.NO_INTERFACE,
    FailureKind.NETWORK_UNREACHABLE,
    FailureKind.HOST_UNREACHABLE,
    FailureKind.DNS_TIMEOUT,
    FailureKind.DNS_NXDOMAIN,
    FailureKind.DNS_ERROR,
    FailureKind.DNS_BOGUS,
    FailureKind.CONNECT_TIMEOUT,
    FailureKind.CONNECTION_REFUSED,
}
_SERVER_HELP = (
    "Server. ndt7: ws://HOST:PORT or wss://HOST; librespeed: http://HOST:PORT/backend/; iperf3: iperf3://HOST:PORT; "
    "speedtest: speedtest.net, or http://HOST:PORT/mini/."
)
_EXPECTED_S = {ProbeName.PATH: 4.0, ProbeName.LATENCY: 5.0, ProbeName.THROUGHPUT: 24.0}


class Way(StrEnum):
    """Which directions to measure."""

    BOTH = "both"
    DOWNLOAD = "download"
    UPLOAD = "upload"


class Engine(StrEnum):
    """Engines that measure throughput."""

    NDT7 = EngineName.NDT7.value
    LIBRESPEED = EngineName.LIBRESPEED.value
    SPEEDTEST = EngineName.SPEEDTEST.value
    IPERF3 = EngineName.IPERF3.value


def measure(
    server: Annotated[str, typer.Option(help=_SERVER_HELP)],
    engine: Annotated[Engine, typer.Option(help="How to measure throughput.")] = Engine.NDT7,
    direction: Annotated[Way, typer.Option(help="Which way to measure.")] = Way.BOTH,
    echo: Annotated[
        str | None, typer.Option(help="UDP echo server as HOST:PORT. Default: the server's host, port 8082.")
    ] = None,
    ca_file: Annotated[Path | None, typer.Option(help="Certificate authority to trust for wss and https, PEM.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Run to full length, and state both figures: an audit of the short test.")
    ] = False,
    expect_download: Annotated[
        float | None, typer.Option(min=0.001, help="What downloads should give, in Mbit/s: a slower one is explained.")
    ] = None,
    expect_upload: Annotated[
        float | None, typer.Option(min=0.001, help="What uploads should give, in Mbit/s: a slower one is explained.")
    ] = None,
    other: Annotated[
        list[str] | None, typer.Option(help="Another host, as tcp://HOST:PORT, to see whether it suffers too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the readings in wire form on stdout.")] = False,
    config: ConfigOption = None,
) -> None:
    """Measure path, latency and throughput once, and print the readings. Needs no enrolment and keeps nothing."""
    name, time = EngineName(engine.value), SystemTime()
    try:
        targets = targets_for(name, server, None if echo is None else f"udp://{echo}")
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--server") from None
    consent = Consent(settle(None, config).config.speedtest.value)
    chosen = build_throughput_engine(name, time, consent, ca_file)
    obstacle = chosen.obstacle()
    if obstacle is not None:
        fail(f"the engine {name.value} cannot run: {obstacle}", ExitCode.FAILED)
    directions = tuple(Direction) if direction is Way.BOTH else (Direction(direction.value),)
    manner = _manner(name, Part.AUDIT if full else Part.SHORTENED)
    probes = build_probes(targets, time, random.SystemRandom(), directions=directions, engine=chosen, manner=manner)
    wanted = {Direction.DOWNLOAD: expect_download, Direction.UPLOAD: expect_upload}
    expected = {way: Expected(mbps, ExpectedFrom.HAND) for way, mbps in wanted.items() if mbps is not None}
    try:
        witness = _witness(targets, expected, other or [], time)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--other or --echo") from None
    try:
        readings = number(asyncio.run(_run_all(list(probes.values()), server, witness)))
    except OtherTestError as error:
        fail(f"{error}; try again later", ExitCode.FAILED)
    if as_json:
        sys.stdout.write(msgspec.json.encode({"readings": readings}).decode() + "\n")
    else:
        Console().print(table(readings))
    raise typer.Exit(exit_code(readings))


def _manner(engine: EngineName, part: Part) -> Manner:
    """Return how to test: only tests by NDT7 can be shortened."""
    if engine is not EngineName.NDT7:
        return AlwaysFullLength()
    return Unlearnt(Frugal(), part, FULL_LENGTH_LIMITS)


def _witness(
    targets: Targets, expected: Mapping[Direction, Expected], others: Sequence[str], time: TimeSource
) -> Witness:
    chance = random.SystemRandom()
    heart = build_heart(targets.echo, targets.path, others, default_gateway, time, chance)
    return build_witness(targets.echo, heart.locator, expected, time, chance)


def number(readings: Sequence[Reading]) -> list[Reading]:
    """Number readings that no outbox keeps: an epoch of their own, seq from 1."""
    epoch = str(uuid4())
    return [msgspec.structs.replace(reading, epoch=epoch, seq=seq) for seq, reading in enumerate(readings, start=1)]


def exit_code(readings: Sequence[Reading]) -> int:
    """Return 0 when throughput was measured, 4 when the server is out of reach, 1 when it failed otherwise."""
    failures = [
        reading.failure.kind
        for reading in readings
        if reading.probe is ProbeName.THROUGHPUT and reading.outcome is Outcome.FAILED and reading.failure is not None
    ]
    if not failures:
        return 0
    return _OUT_OF_REACH if all(kind in _UNREACHED for kind in failures) else _FAILED


def table(readings: Sequence[Reading]) -> Table:
    """Return the readings as a table for a person: each value with its unit and n, each failure with its reason."""
    shown = Table(title=None, show_edge=False, pad_edge=False)
    for heading in ("what", "value", "unit", "n", "how"):
        shown.add_column(heading, justify="right" if heading in {"value", "n"} else "left")
    for reading in readings:
        how = reading.engine.value + (f" {reading.method}" if reading.method else "")
        if reading.failure is not None:
            what = reading.probe.value + (f" {reading.direction.value}" if reading.direction else "")
            shown.add_row(what, "failed", "", "", f"{how}: {reading.failure.kind.value}: {reading.failure.detail}")
        if reading.diagnosis is not None:
            cause = reading.diagnosis.cause.value.replace("_", " ")
            shown.add_row("cause", cause, "", "", WORDS[reading.diagnosis.reason])
        for metric, value in reading.values.items():
            unit = METRICS[metric].unit.value
            name = metric.value.removesuffix(f"_{unit}").replace("_", " ")
            shown.add_row(name, f"{value:.2f}", unit, str(reading.sample_counts.get(metric, "")), how)
    return shown


async def _run_all(probes: Sequence[Probe], server: str, witness: Witness) -> list[Reading]:
    run = Run(trigger=Trigger.MANUAL, boot_id=boot_id(), conditions=conditions())
    readings: list[Reading] = []
    order = [ProbeName.PATH, ProbeName.LATENCY, ProbeName.THROUGHPUT]
    for probe in sorted(probes, key=lambda probe: order.index(probe.name)):
        with _progress(probe.name):
            readings += await attended(probe, run, server, SystemTime(), crossed, witness)
    return readings


@contextmanager
def _progress(name: ProbeName) -> Iterator[None]:
    """Show on a terminal that a probe runs, and about how far it is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description:<12}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(name.value, total=_EXPECTED_S[name])
        moving = asyncio.get_running_loop().create_task(_advance(progress, bar))
        try:
            yield
        finally:
            moving.cancel()


async def _advance(progress: Progress, bar: int) -> None:
    step_s = 0.2
    while True:
        await asyncio.sleep(step_s)
        progress.advance(bar, step_s)  # type: ignore[arg-type]
