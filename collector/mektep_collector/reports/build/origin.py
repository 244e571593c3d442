"""Whether what is told of a school was measured or made by the simulator."""

from collections.abc import Iterable

from mektep_collector.journal.entry import Accepted
from mektep_collector.registry.records import Device
from mektep_wire import Origin


def origin_of(devices: Iterable[Device], readings: Iterable[Accepted]) -> Origin:
    """Return the mark of a school with these computers and readings: one that is simulated marks all of it.

    A school of one kind is what the register promises; computers count too, so that the mark stands before the first
    reading comes.
    """
    simulated = any(device.origin is Origin.SIMULATED for device in devices) or any(
        accepted.reading.origin is Origin.SIMULATED for accepted in readings
    )
    return Origin.SIMULATED if simulated else Origin.MEASURED
