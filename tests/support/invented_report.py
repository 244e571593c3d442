"""The report of an invented month: six schools of one region, and two of another, which is too few to tell."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.registry.records import Commitment, School, Technology
from mektep_collector.reports.build.period.build import Register, Terms, build_report
from mektep_collector.reports.build.period.document import ReportDocument, ReportScope, ScopeKind
from mektep_collector.reports.build.period.tests_by_column import Hours
from mektep_collector.sla.period import read_period
from mektep_wire import Metric, SchoolHours, Weekday
from mektep_wire.school_calendar import SchoolCalendar, SchoolTime
from tests.support.memory_store import MemoryStore
from tests.support.school_device import SchoolDevice

_ALMATY = ZoneInfo("Asia/Almaty")
_MADE_AT = datetime(2026, 11, 2, 4, tzinfo=UTC)
_FIRST = datetime(2026, 10, 5, 10, tzinfo=_ALMATY)
_DAYS_COUNT = 20
_SATURDAY = 5


def invented_report() -> ReportDocument:
    """Return the document, the same each time."""
    hours = [SchoolHours(weekday=day, opens_at=time(8), closes_at=time(19)) for day in list(Weekday)[:_SATURDAY]]
    calendar = SchoolCalendar(SchoolTime(time_zone="Asia/Almaty", school_hours=hours), frozenset())
    schools = [
        School(
            id=f"00{number}",
            name=f"№ {number} мектеп",
            region="KZ-61" if number < 6 else "KZ-10",
            district="Үлгі ауданы",
            pupils_count=300 + 50 * number,
            technology=Technology.FIBRE if number % 2 else Technology.SATELLITE,
        )
        for number in range(8)
    ]
    contract = Commitment(provider="Үлгі Телеком", download_mbps=30.0, upload_mbps=10.0, valid_from=date(2026, 1, 1))
    store = MemoryStore(lambda _: _ALMATY)
    device = SchoolDevice()
    made = [
        _download(device, number * 1_000 + day * 3 + turn, f"00{number}", day, turn, 10.0 + 4.0 * number + turn)
        for number in range(8)
        for day in range(_DAYS_COUNT)
        for turn in range(3)
    ]
    store.put([Entry(position=1, received_at=_MADE_AT, accepted=made)])
    terms = Terms(
        period=read_period("2026-10", {}),
        scope=ReportScope(kind=ScopeKind.NATION),
        hours=Hours.SCHOOL,
        made_at=_MADE_AT,
        version="0.1.0",
    )
    register = Register(schools=schools, contracts={school.id: [contract] for school in schools[:7]})
    return build_report(register, store, {"Asia/Almaty": calendar}, terms, lambda _step: None)


def _download(device: SchoolDevice, seq: int, school_id: str, day: int, turn: int, mbps: float) -> Accepted:
    at = (_FIRST + timedelta(days=day, hours=2 * turn)).astimezone(UTC)
    reading = device.reading(6 * (seq + 1), at)
    values = {Metric.DOWNLOAD_THROUGHPUT_MBPS: mbps}
    reading = msgspec.structs.replace(reading, values=values, sample_counts={}, intervals={})
    return Accepted(
        reading=reading, device_id=device.record.id, school_id=school_id, at=at, time_method=TimeMethod.SAME_BOOT
    )
