"""The process that fetches one page: a `PageOrder` on stdin, a `PageOutcome` on stdout."""

import asyncio
import sys

import msgspec

from mektep_agent.clock import SystemTime
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.http.engine import HttpEngine, HttpSettings
from mektep_agent.engines.http.order import PageFault, PageOrder, PageOutcome


async def fetch(order: PageOrder) -> PageOutcome:
    """Fetch the page of an order."""
    engine = HttpEngine(HttpSettings(reach=order.reach), SystemTime())
    try:
        return PageOutcome(sample=await engine.measure(order.target, order.expected_text))
    except EngineError as error:
        fault = PageFault(
            kind=error.kind,
            detail=error.detail,
            bytes_sent=error.bytes_sent,
            bytes_received=error.bytes_received,
        )
        return PageOutcome(fault=fault)


def main() -> None:
    """Do as ordered."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=PageOrder)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(fetch(order))))


if __name__ == "__main__":
    main()
