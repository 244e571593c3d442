"""A report as flat rows for programs: one for each school or group, with the unit in each column's name. Pure."""

from collections.abc import Mapping, Sequence

from mektep_collector.reports.build.period.document import GroupFigures, ReportDocument, SchoolFigures
from mektep_wire import Interval

Value = str | int | float | None
Row = Mapping[str, Value]


def school_rows(document: ReportDocument) -> list[Row]:
    """Return a row for each school, in the document's order."""
    return [_school(document, each) for each in document.schools]


def group_rows(document: ReportDocument) -> list[Row]:
    """Return a row for the whole and each region, provider, provider in a region and technology."""
    rows = [_group("whole", "", document.whole)]
    rows += [_group("region", "", each) for each in document.regions]
    rows += [_group("provider", "", each) for each in document.providers]
    rows += [_group("provider_in_region", region, each) for region, each in document.providers_by_region]
    rows += [_group("technology", "", each) for each in document.technologies]
    return rows


def _school(document: ReportDocument, figures: SchoolFigures) -> Row:
    download, upload, latency = figures.download, figures.upload, figures.latency
    return {
        "period": document.period.name,
        "origin": figures.origin.value,
        "school_id": figures.school_id,
        "name": figures.name,
        "region": figures.region,
        "district": figures.district,
        "provider": figures.provider,
        "technology": figures.technology.value,
        "pupils_count": figures.pupils_count,
        "norm_mbps": figures.norm.mbps,
        "norm_basis": figures.norm.basis.value,
        "contract_download_mbps": figures.contract_mbps,
        "contract_upload_mbps": figures.contract_upload_mbps,
        "tests_count": download.ok_count,
        "failed_count": download.failed_count,
        "skipped_count": download.skipped_count,
        "days_count": download.days_count,
        "download_median_mbps": download.median_mbps,
        **_bounds("download_median", "mbps", download.median_interval),
        "download_p5_mbps": download.p5_mbps,
        "download_p10_mbps": download.p10_mbps,
        "download_p90_mbps": download.p90_mbps,
        "upload_tests_count": upload.ok_count,
        "upload_median_mbps": upload.median_mbps,
        "latency_count": latency.ok_count,
        "latency_median_ms": latency.median_ms,
        "latency_p95_ms": latency.p95_ms,
        "availability_ratio": figures.availability_ratio,
        "norm_met_count": figures.norm_met_count,
        **{f"method_{method.value}": finding.answer.value for method, finding in figures.findings.items()},
        "shortfall": figures.shortfall.value,
    }


def _group(kind: str, region: str, figures: GroupFigures) -> Row:
    return {
        "kind": kind,
        "region": region,
        "key": figures.key,
        "is_told": int(figures.is_told),
        "schools_count": figures.schools_count,
        "reporting_count": figures.reporting_count,
        "judged_count": figures.judged_count,
        "met_count": figures.met_count,
        "met_ratio": figures.met_ratio,
        **_bounds("met", "ratio", figures.met_interval),
        "pupils_ratio": figures.pupils_ratio,
        "tests_count": figures.tests_count,
        "failed_count": figures.failed_count,
        "median_mbps": figures.median_mbps,
        **_bounds("median", "mbps", figures.median_interval),
        "p5_mbps": figures.p5_mbps,
        "p10_mbps": figures.p10_mbps,
        "p90_mbps": figures.p90_mbps,
        "norm_tests_ratio": figures.norm_tests_ratio,
        **_bounds("norm_tests", "ratio", figures.norm_tests_interval),
        "availability_ratio": figures.availability_ratio,
        "latency_median_ms": figures.latency_median_ms,
        "latency_p95_ms": figures.latency_p95_ms,
    }


def _bounds(name: str, unit: str, interval: Interval | None) -> dict[str, Value]:
    return {
        f"{name}_low_{unit}": None if interval is None else interval.low,
        f"{name}_high_{unit}": None if interval is None else interval.high,
    }


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the names of columns, in order; all rows have the same."""
    return list(rows[0]) if rows else []
