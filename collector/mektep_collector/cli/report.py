"""`mektep-collector report`: a period's figures as a file."""

import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mektep_collector.cli.opened_store import open_store
from mektep_collector.cli.settled import FAILED, USAGE, ConfigFile, DataDir, opened_registry, settle, stop, tell
from mektep_collector.clock import SystemTime
from mektep_collector.config import Config, ConfigError
from mektep_collector.config.public_holidays import public_holidays
from mektep_collector.registry.registry import Registry
from mektep_collector.registry.zones import SchoolZones
from mektep_collector.reports.build.period.build import Register, Terms, build_report
from mektep_collector.reports.build.period.document import ReportDocument, ReportScope, ScopeKind
from mektep_collector.reports.build.period.tests_by_column import Calendars, Hours
from mektep_collector.reports.csv_file import csv_bytes
from mektep_collector.reports.flat import Row, group_rows, school_rows
from mektep_collector.reports.parquet_file import parquet_bytes
from mektep_collector.sla.period import PeriodError, ReportPeriod, read_period
from mektep_collector.store.error import StoreError
from mektep_dashboards.i18n.language import Language
from mektep_dashboards.i18n.speech import Speech
from mektep_dashboards.paper.workbook import workbook_bytes
from mektep_wire import VERSION, Origin
from mektep_wire.school_calendar import SchoolCalendar, SchoolTime

_NO_SCHOOL = {
    ScopeKind.NATION: "the register has no school; import some with `mektep-collector schools import`",
    ScopeKind.REGION: "no school of the register is in the region {key!r}; regions are codes such as KZ-61",
    ScopeKind.PROVIDER: "no school of the register has a contract with {key!r}; names are as in the contracts",
    ScopeKind.SCHOOL: "the register has no school {key!r}; `mektep-collector schools list` shows all",
}


class ReportFormat(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"


class Rows(StrEnum):
    """What a table has a row for."""

    SCHOOLS = "schools"
    GROUPS = "groups"


def report(
    period: Annotated[str, typer.Option(help="2026-10, 2026-Q4, 2026-10-05/2026-10-23, or a term that is set.")],
    region: Annotated[str, typer.Option(help="One region, by its code, such as KZ-61.")] = "",
    provider: Annotated[str, typer.Option(help="One provider's schools, by the name in their contracts.")] = "",
    school: Annotated[str, typer.Option(help="One school, by its id.")] = "",
    written: Annotated[ReportFormat, typer.Option("--format", help="How it is written.")] = ReportFormat.JSON,
    rows: Annotated[Rows, typer.Option(help="What CSV and Parquet have a row for.")] = Rows.SCHOOLS,
    separator: Annotated[str, typer.Option(help="What parts the cells of CSV: a comma or a semicolon.")] = ",",
    lang: Annotated[Language, typer.Option("--lang", help="Language of a workbook (XLSX).")] = Language.KK,
    all_hours: Annotated[bool, typer.Option("--all-hours", help="Count tests outside school hours too.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to. Default: standard output.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Write the figures of a period: schools, regions and providers beside norm and contract, with n and intervals.

    Tests of school hours count, by each school's own calendar. What is too thin to tell is left out, and says so.
    """
    settings = settle(config, {"data_dir": data_dir}).config
    if separator not in {",", ";"}:
        stop("`--separator` is a comma or a semicolon", USAGE)
    if sum(map(bool, (region, provider, school))) > 1:
        stop("`--region`, `--provider` and `--school` exclude each other", USAGE)
    scope = _scope(region, provider, school)
    try:
        asked = read_period(period, settings.school_terms())
    except PeriodError as error:
        stop(str(error), USAGE)
    document = _built(settings, asked, scope, Hours.ALL if all_hours else Hours.SCHOOL)
    content = _content(document, written, rows, separator, lang)
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        stop(f"the report cannot be written: {error}", FAILED)
    tell(f"{output}: {len(document.schools)} schools, {document.whole.tests_count} tests with a result")


def _scope(region: str, provider: str, school: str) -> ReportScope:
    for kind, key in ((ScopeKind.REGION, region), (ScopeKind.PROVIDER, provider), (ScopeKind.SCHOOL, school)):
        if key:
            return ReportScope(kind=kind, key=key)
    return ReportScope(kind=ScopeKind.NATION)


def _built(settings: Config, period: ReportPeriod, scope: ReportScope, hours: Hours) -> ReportDocument:
    time, opened = SystemTime(), AsyncExitStack()
    with opened_registry(settings) as registry:
        register = _register(registry, scope)
        if not register.schools:
            stop(_NO_SCHOOL[scope.kind].format(key=scope.key), FAILED)
        zones = sorted({each.time_zone for each in register.schools})
        try:
            calendars = _calendars(settings, zones, period)
            store = open_store(settings, SchoolZones(registry.schools, time).zone_of, time, opened).store
        except (ConfigError, ValueError) as error:
            stop(str(error), USAGE)
        except StoreError as error:
            stop(str(error), FAILED)
        terms = Terms(period=period, scope=scope, hours=hours, made_at=time.now(), version=VERSION)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
            task = shown.add_task("")
            try:
                return build_report(
                    register, store, calendars, terms, lambda step: shown.update(task, description=step)
                )
            except StoreError as error:
                stop(str(error), FAILED)
            finally:
                store.close()


def _register(registry: Registry, scope: ReportScope) -> Register:
    schools = registry.schools.all()
    contracts = registry.schools.all_commitments()
    if scope.kind is ScopeKind.REGION:
        schools = [each for each in schools if each.region == scope.key]
    elif scope.kind is ScopeKind.SCHOOL:
        schools = [each for each in schools if each.id == scope.key]
    elif scope.kind is ScopeKind.PROVIDER:
        schools = [each for each in schools if each.commitment is not None and each.commitment.provider == scope.key]
    simulated = {each.school_id for each in registry.devices.all() if each.origin is Origin.SIMULATED}
    return Register(schools=schools, contracts=contracts, simulated=simulated)


def _calendars(settings: Config, zones: list[str], period: ReportPeriod) -> Calendars:
    first = period.before().first - timedelta(days=1)
    holidays = public_holidays(settings.holiday_country, range(first.year, period.last.year + 1))
    return {
        zone: SchoolCalendar(
            SchoolTime(
                time_zone=ZoneInfo(zone).key,
                school_hours=list(settings.school_hours()),
                days_off=list(settings.free_days()),
                working_days=list(settings.moved_days()),
            ),
            holidays,
        )
        for zone in zones
    }


def _content(document: ReportDocument, written: ReportFormat, rows: Rows, separator: str, lang: Language) -> bytes:
    if written is ReportFormat.JSON:
        return msgspec.json.encode(document) + b"\n"
    if written is ReportFormat.XLSX:
        return workbook_bytes(document, Speech(lang))
    flat: list[Row] = school_rows(document) if rows is Rows.SCHOOLS else group_rows(document)
    if written is ReportFormat.CSV:
        return csv_bytes(flat, separator)
    about = {"period": document.period.name, "version": document.version, "data_sha256": document.data_hash}
    return parquet_bytes(flat, about)
