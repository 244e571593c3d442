"""Refused points, written once more when somebody has mended what InfluxDB refused them for."""

from pathlib import Path

import msgspec

from mektep_collector.store.influx.dead_letters import FILE, DeadLetters
from mektep_collector.store.influx.delivery import deliver
from mektep_collector.store.influx.server import Address, InfluxServer


class Redelivery(msgspec.Struct, frozen=True):
    """How many refused points were taken now, and how many are refused still."""

    taken_count: int
    refused_count: int


def redeliver(address: Address, directory: Path) -> Redelivery:
    """Write the refused points in `directory` again; a collector may serve meanwhile. Raises StoreError."""
    letters = DeadLetters(directory / FILE)
    try:
        server = InfluxServer(address)
        try:
            waiting = letters.all()
            refused = deliver(server, [letter.line for letter in waiting])
        finally:
            server.close()
        letters.add(refused)
        still = {letter.line for letter in refused}
        taken = [letter for letter in waiting if letter.line not in still]
        letters.remove(taken)
        return Redelivery(taken_count=len(taken), refused_count=len(refused))
    finally:
        letters.close()
