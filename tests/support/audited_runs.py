"""Sixty days of one invented device whose tests are audited as drawn, for documents and pages."""

from collections.abc import Iterator
from datetime import timedelta

from mektep_collector.journal.entry import Accepted, Entry
from mektep_collector.sla.audit import ADOPTION, AuditTerms
from mektep_wire import Direction, EngineName, Metric, ProbeName, Trigger, is_audit
from tests.support import invented_schools as invented
from tests.support.memory_store import MemoryStore

DEVICE = invented.device(invented.MET)
BEGIN = invented.NOW - timedelta(days=60)
TERMS = AuditTerms(seed=bytes(range(16)), ratio=0.2, since=BEGIN - ADOPTION)
FIGURES = {
    Direction.DOWNLOAD: (Metric.DOWNLOAD_THROUGHPUT_MBPS, Metric.DOWNLOAD_FULL_LENGTH_MBPS),
    Direction.UPLOAD: (Metric.UPLOAD_THROUGHPUT_MBPS, Metric.UPLOAD_FULL_LENGTH_MBPS),
}


def slot_runs(days_count: int, error_ratio: float, method: str = "frugal/1") -> Iterator[Accepted]:
    """Yield a device's tests at slots, audited as drawn, each audit with the same error."""
    month = invented.Month(invented.MET, 1)
    for day in range(days_count):
        for number in range(1, 5):
            at = BEGIN + timedelta(days=day, hours=number)
            slot = f"{at:%Y-%m-%d}/{number}"
            is_drawn = is_audit(TERMS.seed, DEVICE.id, slot, TERMS.ratio)
            for direction, (shortened, full_length) in FIGURES.items():
                values = {shortened: 20.0 * (1 + error_ratio)}
                if is_drawn and not method.startswith("full_length"):
                    values[full_length] = 20.0
                yield month.reading(
                    at, ProbeName.THROUGHPUT, EngineName.NDT7, direction=direction, slot=slot, values=values,
                    method=method, trigger=Trigger.AUDIT if is_drawn else Trigger.SLOT,
                )  # fmt: skip


def store_of(*batches: list[Accepted]) -> MemoryStore:
    """Return a store that holds the batches in their order."""
    store = MemoryStore(lambda school_id: invented.ZONE)
    store.put([Entry(position=n, received_at=invented.NOW, accepted=each) for n, each in enumerate(batches, start=1)])
    return store
