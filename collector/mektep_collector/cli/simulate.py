"""`mektep-collector simulate`: a fleet of schools that do not exist, to try a collector before schools depend on it."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import SystemRandom
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mektep_collector.cli.settled import (
    FAILED,
    OUT_OF_REACH,
    AsJson,
    ConfigFile,
    DataDir,
    opened_registry,
    settle,
    show_json,
    stop,
    tell,
)
from mektep_collector.config import Config
from mektep_collector.simulate.day import LOCAL
from mektep_collector.simulate.delivery import DeliveryError, Sender, Tally, check_reach, deliver
from mektep_collector.simulate.enrolment import Enrolled, RealSchoolsError, check_register, enrol
from mektep_collector.simulate.fleet import SimulatedSchool, fleet
from mektep_collector.simulate.rounds import rounds

_MOST_DAYS = 90


def simulate(
    schools: Annotated[int, typer.Option(min=1, max=100_000, help="How many schools.")] = 100,
    days: Annotated[int, typer.Option(min=1, max=_MOST_DAYS, help="How many days, the last of them yesterday.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed makes the same schools, lines and troubles.")] = 1,
    url: Annotated[
        str | None, typer.Option(help="Where the collector of this data directory serves. Default: as it is set.")
    ] = None,
    connections: Annotated[int, typer.Option(min=1, max=1_000, help="Connections at once.")] = 32,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Enrol a simulated fleet and let it deliver what it would have measured, to a collector that serves.

    Every school, provider and reading says that it is simulated, and the collector takes nothing else from these
    devices. It needs a data directory of its own. Readings come day by day, as fast as they are taken in; some schools
    keep theirs for days and deliver them in one burst.
    """
    settings = settle(config, {"data_dir": data_dir}).config
    address = url or _url(settings)
    country = fleet(schools, seed)
    now = datetime.now(UTC)
    first = (now + LOCAL).date() - timedelta(days=days)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), disable=as_json,
    ) as shown:  # fmt: skip
        devices = _enrolled(settings, address, country, first, days, now, shown)
        began_s = time.monotonic()
        tally = _delivered(address, rounds(devices, first, days, lambda: datetime.now(UTC)), connections, shown)
        took_s = time.monotonic() - began_s
    result = {
        "schools_count": schools,
        "devices_count": len(devices),
        "days_count": days,
        "seed": seed,
        "stored_count": tally.stored_count,
        "duplicate_count": tally.duplicate_count,
        "rejected_count": tally.rejected_count,
        "batches_count": tally.batches_count,
        "sent_bytes": tally.sent_bytes,
        "answers": {str(status): count for status, count in sorted(tally.answers.items())},
        "duration_s": round(took_s, 3),
    }
    if as_json:
        show_json(result)
        return
    tell(
        f"{tally.stored_count} simulated readings of {len(devices)} computers in {schools} schools are in, "
        f"{tally.sent_bytes / 1e6:.1f} MB in {took_s:.1f} s; {tally.duplicate_count} were there already, "
        f"{tally.rejected_count} were refused"
    )


def _enrolled(
    settings: Config, url: str, country: list[SimulatedSchool], first: date, days: int, now: datetime, shown: Progress
) -> list[Enrolled]:
    task = shown.add_task("Schools", total=len(country))
    with opened_registry(settings) as registry:
        try:
            check_register(registry)
        except RealSchoolsError as error:
            stop(str(error), FAILED)
        _reach(url)  # before anything is enrolled: a fleet is made in a data directory once
        return list(enrol(registry, country, first, days, now, lambda done, _whole: shown.update(task, completed=done)))


def _delivered(url: str, days: Iterator[Iterator[Sender]], connections: int, shown: Progress) -> Tally:
    task = shown.add_task("Readings", total=None)
    tally = Tally()

    def told(tally: Tally) -> None:
        shown.update(task, completed=tally.stored_count + tally.duplicate_count + tally.rejected_count)

    async def all_days() -> None:
        for senders in days:
            await deliver(url, senders, connections, SystemRandom(), told, tally=tally)

    try:
        asyncio.run(all_days())
    except DeliveryError as error:
        stop(f"{error}; what was acknowledged is kept", FAILED)
    return tally


def _reach(url: str) -> None:
    try:
        asyncio.run(check_reach(url))
    except DeliveryError as error:
        stop(f"{error}; start `mektep-collector serve` on this data directory, or say where with --url", OUT_OF_REACH)


def _url(settings: Config) -> str:
    if settings.public_url:
        return settings.public_url
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{settings.host}:{settings.port}"
