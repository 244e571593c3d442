"""What a device is asked to do: the school's record and the operator's settings, put into an assignment. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from mektep_collector.config import Config
from mektep_collector.config.platforms import Platform
from mektep_collector.registry.records import Device, School
from mektep_collector.sla.norm import norm_of
from mektep_wire import TOKEN_LIFETIME_S, Assignment, ProbeName, Target

_DAY_S = 86_400.0


class MeasuringPoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where a school measures to, as addresses on the wire: `ws://host:port`, `udp://host:port`, names to look up."""

    ndt7_url: str | None
    echo_url: str | None
    dns_names: Sequence[str] = ()
    platforms: Sequence[Platform] = ()

    def targets(self) -> Sequence[Target]:
        """Return the targets of each probe."""
        targets: list[Target] = []
        if self.ndt7_url is not None:
            targets.append(Target(probe=ProbeName.THROUGHPUT, address=self.ndt7_url))
        if self.echo_url is not None:
            targets.append(Target(probe=ProbeName.LATENCY, address=self.echo_url))
        if self.ndt7_url is not None:
            targets.append(Target(probe=ProbeName.PATH, address=self.ndt7_url))
        targets += [Target(probe=ProbeName.PATH, address=f"dns://{name}") for name in self.dns_names]
        targets += [
            Target(
                probe=ProbeName.PLATFORM,
                address=platform.url,
                name=platform.name,
                expected_text=platform.expected_text,
            )
            for platform in self.platforms
        ]
        return targets


def compose_assignment(
    school: School,
    device: Device,
    audit_seed: bytes,
    points: MeasuringPoints,
    config: Config,
    version: int,
    issued_at: datetime,
) -> Assignment:
    """Return the assignment of one device, which draws its audits by `audit_seed`."""
    commitment = school.commitment
    lifetime_s = config.token_lifetime_days * _DAY_S
    return Assignment(
        version=version,
        device_id=device.id,
        issued_at=issued_at,
        time_zone=school.time_zone,
        school_hours=config.school_hours(),
        holiday_country=config.holiday_country or None,
        days_off=config.free_days(),
        working_days=config.moved_days(),
        throughput_slots_count=config.throughput_slots_count,
        latency_interval_s=config.latency_interval_s,
        path_interval_s=config.path_interval_s,
        platform_interval_s=config.platform_interval_s,
        send_interval_s=config.send_interval_s,
        month_budget_bytes=config.month_budget_bytes or None,
        targets=points.targets(),
        audit_ratio=config.audit_ratio,
        audit_seed=audit_seed,
        shortcut_error_max_ratio=config.shortcut_error_max_ratio,
        token_lifetime_s=None if lifetime_s == TOKEN_LIFETIME_S else lifetime_s,
        renewal_asked_at=device.renewal_asked_at,
        norm_mbps=norm_of(school).mbps,
        contracted_download_mbps=None if commitment is None else commitment.download_mbps,
        contracted_upload_mbps=None if commitment is None else commitment.upload_mbps,
    )
