"""The daemon's process: reads its order, takes its folder, runs, and ends in order when it is told to."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from mektep_agent.clock import SystemTime
from mektep_agent.config.lock import LockedError, only_one
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.conduct import Daemon
from mektep_agent.daemon.exit_code import ExitCode
from mektep_agent.daemon.kit import kit_of
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.log import set_up_log
from mektep_agent.daemon.once import measure_and_deliver
from mektep_agent.daemon.order import Manner, Printed, RunOrder
from mektep_agent.daemon.thrift import LocalCap, Thrift
from mektep_agent.identity.device import Device, IdentityError, load_device
from mektep_agent.link.boot import boot_id
from mektep_agent.link.conditions import conditions
from mektep_agent.outbox.parcel import OutboxError
from mektep_agent.outbox.queue import Outbox
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.probes.outage.course import Rhythm
from mektep_agent.uplink.counted import counted, counted_leases
from mektep_agent.uplink.courier_carrier import courier_carriers, courier_lease_carriers
from mektep_agent.uplink.leases import leases_over

_END_TIMEOUT_S = 5.0


def main(arguments: list[str]) -> int:
    """Run as ordered; return the exit code."""
    order = msgspec.json.decode(arguments[0], type=RunOrder)
    set_up_log(order.config.log_level, order.config.log_form)
    folder = StateFolder(Path(order.state_dir))
    try:
        device = _enrolled(folder)
        with only_one(folder.lock):
            return asyncio.run(_run(order, folder, device))
    except (IdentityError, LockedError, OutboxError, OSError) as error:
        sys.stderr.write(f"mektep-agent: {error}\n")
        return ExitCode.FAILED


def _enrolled(folder: StateFolder) -> Device:
    device = load_device(folder)
    if device is None:
        raise IdentityError("this computer is no device yet: run `mektep-agent enrol URL --code CODE` first")
    return device


async def _run(order: RunOrder, folder: StateFolder, device: Device) -> int:
    config = order.config
    chance = random.SystemRandom()
    source = SystemTime()
    kept = Outbox(folder, source, chance, max_bytes=config.outbox_max_bytes, ballast_bytes=config.ballast_bytes)
    outbox = ThreadedOutbox(kept)
    time = KnownTime(source, boot_id())
    cap = LocalCap(month_cap_bytes=config.month_cap_bytes, month_carry_over_ratio=config.month_carry_over_ratio)
    thrift = Thrift(folder, time, cap)
    courier = (folder.path, config.connect_timeout_s, config.request_timeout_s)
    try:
        daemon = Daemon(
            folder,
            outbox,
            counted(courier_carriers(*courier), thrift.spend),
            lambda assignment: kit_of(assignment, folder, config),
            conditions,
            time,
            chance,
            thrift,
            leases_over(counted_leases(courier_lease_carriers(*courier), thrift.spend)),
            enrolled_at=device.enrolled_at,
            startup_delay_max_s=config.startup_delay_max_s,
            rhythm=Rhythm(config.heartbeat_interval_s) if config.heartbeat_interval_s else None,
        )
        if order.manner is Manner.KEEP_ON:
            await _until_told(daemon.run())
            return ExitCode.GOOD
        readings, code = await measure_and_deliver(daemon)
        if order.printed is Printed.READINGS:
            sys.stdout.write(msgspec.json.encode({"readings": readings}).decode() + "\n")
            sys.stdout.flush()
        return code
    finally:
        thrift.close()
        outbox.close()


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until SIGTERM or SIGINT; it then has a few seconds to end."""
    running = asyncio.create_task(work)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, told.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(told.set))
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    running.cancel()
    await asyncio.wait({running}, timeout=_END_TIMEOUT_S)
    if not running.done():
        # What is on disk is whole at any moment; what still hangs does not matter.
        os._exit(ExitCode.FAILED)
    with suppress(asyncio.CancelledError):
        running.result()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
