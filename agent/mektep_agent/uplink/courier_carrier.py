"""Carrying through a courier process: started when there is something to send, ended when there is nothing more."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from mektep_agent.uplink.carrier import Answer, CarrierError, Carriers, Consignment, News, Renewal
from mektep_agent.uplink.courier_orders import (
    READY,
    AskLeaseOrder,
    EndLeaseOrder,
    FetchOrder,
    Order,
    RenewOrder,
    SendOrder,
)
from mektep_agent.uplink.leases import LeaseCarriers
from mektep_wire import LeaseEnd

T = TypeVar("T")
_LINE_LIMIT_BYTES = 4_194_304
_START_TIMEOUT_S = 60.0
_GRACE_S = 10.0
_END_TIMEOUT_S = 2.0
_SHOWN_BYTES = 2_000


def courier_carriers(state_dir: Path, connect_timeout_s: float, request_timeout_s: float) -> Carriers:
    """Return what opens a courier for the device in `state_dir`."""
    return _openings(state_dir, connect_timeout_s, request_timeout_s)


def courier_lease_carriers(state_dir: Path, connect_timeout_s: float, request_timeout_s: float) -> LeaseCarriers:
    """Return what opens a courier that asks for leases."""
    return _openings(state_dir, connect_timeout_s, request_timeout_s)


def _openings(
    state_dir: Path, connect_timeout_s: float, request_timeout_s: float
) -> Callable[[], AbstractAsyncContextManager["_Courier"]]:
    @asynccontextmanager
    async def open_courier() -> AsyncGenerator[_Courier]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "mektep_agent.uplink.courier"),
            *(str(state_dir), str(connect_timeout_s), str(request_timeout_s)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT_BYTES,
            # A Ctrl-C at the terminal is for the daemon, which lets the courier end in order.
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        courier = _Courier(process, connect_timeout_s + 2 * request_timeout_s + _GRACE_S)
        try:
            await courier.start()
            yield courier
        finally:
            await courier.end()

    return open_courier


class _Courier:
    """One courier process; a `Carrier` and a `LeaseCarrier`."""

    def __init__(self, process: asyncio.subprocess.Process, timeout_s: float) -> None:
        self._process = process
        self._timeout_s = timeout_s

    async def start(self) -> None:
        """Wait until it is ready; raises CarrierError."""
        if await self._line(_START_TIMEOUT_S) != READY:
            raise CarrierError("the courier did not begin as it should")

    async def send(self, consignment: Consignment) -> Answer:
        """Sign and post one batch."""
        return await self._order(SendOrder(consignment), Answer)

    async def fetch_assignment(self, current_version: int) -> News:
        """Ask for a newer assignment."""
        return await self._order(FetchOrder(current_version), News)

    async def renew_token(self, at: datetime) -> Renewal:
        """Renew the token if it is due."""
        return await self._order(RenewOrder(at), Renewal)

    async def ask_lease(self, for_s: float) -> Answer:
        """Ask for the school's line."""
        return await self._order(AskLeaseOrder(for_s), Answer)

    async def end_lease(self, lease_id: str, end: LeaseEnd) -> Answer:
        """Give the school's line back."""
        return await self._order(EndLeaseOrder(lease_id, end), Answer)

    async def end(self) -> None:
        """Let it end by the end of its input; kill it if it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        finally:
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.kill()

    async def _order(self, order: Order, kind: type[T]) -> T:
        if self._process.stdin is None:
            raise CarrierError("the courier was started without an input")
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        with suppress(ConnectionError):  # it ended; reading says why
            await self._process.stdin.drain()
        return msgspec.json.decode(await self._line(self._timeout_s), type=kind)

    async def _line(self, timeout_s: float) -> bytes:
        if self._process.stdout is None or self._process.stderr is None:
            raise CarrierError("the courier was started without outputs")
        try:
            async with asyncio.timeout(timeout_s):
                line = await self._process.stdout.readline()
                if line.endswith(b"\n"):
                    return line
                said = await self._process.stderr.read(_SHOWN_BYTES)
        except TimeoutError:
            raise CarrierError(f"the courier did not answer within {timeout_s:g} s") from None
        raise CarrierError(f"the courier ended: {said.decode('utf-8', 'replace').strip()}")
