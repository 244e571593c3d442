"""One school's audits, from its runs by each of the two figures that an audit has: pure."""

from collections.abc import Iterator, Sequence

from mektep_collector.journal.correction import from_us
from mektep_collector.store.run import Run
from mektep_collector.store.store import AuditTrace
from mektep_wire import Direction, EngineName


def paired(
    school_id: str, direction: Direction, shortened: Sequence[Run], full_length: Sequence[Run]
) -> Iterator[tuple[tuple[int, int, int], AuditTrace]]:
    """Yield the runs of one direction that are in both series, each with its place."""
    full_mbps = {run[:3]: run.value for run in full_length if run.value is not None}
    for run in shortened:
        full_length_mbps = full_mbps.get(run[:3])
        if run.value is not None and full_length_mbps is not None:
            yield (
                run[:3],
                AuditTrace(
                    at=from_us(run.at_us),
                    school_id=school_id,
                    device_id=run.device_id,
                    direction=direction,
                    engine=EngineName(run.engine),
                    shortened_mbps=run.value,
                    full_length_mbps=full_length_mbps,
                ),
            )
