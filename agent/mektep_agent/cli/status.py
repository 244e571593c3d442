"""`mektep-agent status`: who this device is, what waits, and when it last got through."""

import sys
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
import typer

from mektep_agent.budget.account import read_ledger
from mektep_agent.budget.ledger import Ledger
from mektep_agent.cli.settle import ConfigOption, JsonOption, StateDirOption, fail, folder_of, settle
from mektep_agent.clock import SystemTime
from mektep_agent.config import Config
from mektep_agent.config.lock import LockedError, only_one
from mektep_agent.config.settings import MlabDataPolicy
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.delivering import REST_NOTE, RestNote
from mektep_agent.daemon.exit_code import ExitCode
from mektep_agent.identity.device import IdentityError, load_device
from mektep_agent.identity.last_assignment import AssignmentError, load_assignment
from mektep_agent.link.network import this_network
from mektep_agent.mlab.locate import is_locate
from mektep_agent.outbox.look import look_into
from mektep_agent.outbox.parcel import Census, OutboxError
from mektep_agent.probes.audit.memory import read_links
from mektep_agent.probes.audit.standing import LinkStanding, standings
from mektep_agent.uplink.delivery import DELIVERY_NOTE, DeliveryNote
from mektep_agent.uplink.rest import RestReason
from mektep_wire import Assignment, ProbeName

_TOO_LONG = timedelta(days=1)


class DaemonState(StrEnum):
    """Whether a daemon has the folder."""

    RUNNING = "running"
    STOPPED = "stopped"


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """The month's data: what was used, the cap in force (None: none), and what the month will come to.

    `wanted_bytes` is what it would come to with no test left out; it is above the cap where tests are made rarer.
    """

    month: str
    used_bytes: int
    cap_bytes: int | None
    forecast_bytes: int | None
    wanted_bytes: int | None
    slots_left_count: int | None
    tests_left_count: int | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say; `trouble` names what a person should look at, in words."""

    device_id: str
    school_name: str
    collector_url: str
    daemon: DaemonState
    assignment_version: int | None
    outbox: Census | None
    delivered_at: datetime | None
    last_sending: RestNote | None
    data: Data | None
    tests: tuple[LinkStanding, ...]
    trouble: tuple[str, ...]


def status(state_dir: StateDirOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print how this agent stands. Ends with 3 where a person should look."""
    settings = settle(state_dir, config).config
    folder = folder_of(settings)
    try:
        shown = _taken(folder, settings)
    except (IdentityError, OutboxError, OSError) as error:
        fail(str(error), ExitCode.FAILED)
    if as_json:
        sys.stdout.write(msgspec.json.encode(shown).decode() + "\n")
    else:
        _print(shown)
    raise typer.Exit(ExitCode.DEGRADED if shown.trouble else ExitCode.GOOD)


def _taken(folder: StateFolder, settings: Config) -> Status:
    device = load_device(folder)
    if device is None:
        fail("this computer is no device yet: run `mektep-agent enrol URL --code CODE` first", ExitCode.FAILED)
    trouble: list[str] = []
    tests: tuple[LinkStanding, ...] = ()
    try:
        assignment = load_assignment(folder)
        version = None if assignment is None else assignment.version
        if assignment is not None:
            trouble += _trouble_of_mlab(assignment, settings)
            tests = _tests(folder, assignment, trouble)
    except AssignmentError as error:
        version = None
        trouble.append(str(error))
    daemon = _daemon_state(folder)
    if daemon is DaemonState.STOPPED:
        trouble.append("the agent does not run: start `mektep-agent run`")
    seen = look_into(folder.outbox, (DELIVERY_NOTE, REST_NOTE))
    census, notes = seen if seen is not None else (None, {})
    delivery = msgspec.json.decode(notes[DELIVERY_NOTE], type=DeliveryNote) if DELIVERY_NOTE in notes else None
    rest = msgspec.json.decode(notes[REST_NOTE], type=RestNote) if REST_NOTE in notes else None
    trouble += _trouble_of_sending(census, delivery, rest)
    data = _data(folder, trouble)
    return Status(
        device_id=device.device_id,
        school_name=device.school_name,
        collector_url=device.collector_url,
        daemon=daemon,
        assignment_version=version,
        outbox=census,
        delivered_at=delivery.delivered_at if delivery is not None else None,
        last_sending=rest,
        data=data,
        tests=tests,
        trouble=tuple(trouble),
    )


def _trouble_of_mlab(assignment: Assignment, settings: Config) -> list[str]:
    is_asked = any(target.probe is ProbeName.THROUGHPUT and is_locate(target.address) for target in assignment.targets)
    if is_asked and settings.mlab_data_policy is not MlabDataPolicy.ACCEPTED:
        return [
            "tests against M-Lab are asked for and none is made: M-Lab publishes the public address and the result of "
            "each; set `mlab_data_policy` to `accepted` to agree to that for this school"
        ]
    return []


def _tests(folder: StateFolder, assignment: Assignment, trouble: list[str]) -> tuple[LinkStanding, ...]:
    targets = [target.address for target in assignment.targets if target.probe is ProbeName.THROUGHPUT]
    if not targets:
        return ()
    try:
        return standings(read_links(folder), targets[0], this_network())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        trouble.append(f"what was learnt of the line, {folder.links}, cannot be read: {error}")
        return ()


def _data(folder: StateFolder, trouble: list[str]) -> Data | None:
    try:
        ledger: Ledger = read_ledger(folder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        trouble.append(f"the account of data {folder.budget} cannot be read: {error}")
        return None
    if not ledger.months:
        return None
    month, outlook = ledger.current, ledger.outlook
    if outlook is not None and outlook.slots_left_count and not outlook.tests_left_count:
        trouble.append(f"the data of {month.month} is used up: no test runs until the month ends")
    return Data(
        month=month.month,
        used_bytes=month.used_bytes + ledger.held_bytes,
        cap_bytes=month.cap_bytes,
        forecast_bytes=outlook.forecast_bytes if outlook is not None else None,
        wanted_bytes=outlook.wanted_bytes if outlook is not None else None,
        slots_left_count=outlook.slots_left_count if outlook is not None else None,
        tests_left_count=outlook.tests_left_count if outlook is not None else None,
    )


def _trouble_of_sending(census: Census | None, delivery: DeliveryNote | None, rest: RestNote | None) -> list[str]:
    trouble = []
    if census is not None and census.dropped_count:
        trouble.append(f"{census.dropped_count} readings were dropped for want of room")
    if census is not None and census.dead_count:
        trouble.append(
            f"{census.dead_count} readings were rejected by the collector; they are kept apart in the outbox"
        )
    if rest is not None and rest.reason in {RestReason.BARRED, RestReason.REVOKED}:
        trouble.append(f"the collector refuses this device: {rest.detail}")
    is_waiting = census is not None and census.queued_count > 0
    if is_waiting and delivery is not None and SystemTime().now() - delivery.delivered_at > _TOO_LONG:
        detail = f": {rest.detail}" if rest is not None and rest.detail else ""
        trouble.append(f"nothing got through since {delivery.delivered_at:%Y-%m-%d %H:%M} UTC{detail}")
    return trouble


def _daemon_state(folder: StateFolder) -> DaemonState:
    if not folder.lock.exists():
        return DaemonState.STOPPED
    try:
        with only_one(folder.lock):
            return DaemonState.STOPPED
    except LockedError:
        return DaemonState.RUNNING


def _print(shown: Status) -> None:
    lines = [
        f"School       {shown.school_name}",
        f"Device       {shown.device_id}",
        f"Collector    {shown.collector_url}",
        f"Agent        {shown.daemon.value}",
        f"Assignment   {f'version {shown.assignment_version}' if shown.assignment_version else 'none yet'}",
    ]
    if shown.outbox is not None:
        lines.append(f"Waiting      {shown.outbox.queued_count} readings, {shown.outbox.queued_bytes} bytes")
    delivered = f"{shown.delivered_at:%Y-%m-%d %H:%M:%S} UTC" if shown.delivered_at else "never"
    lines.append(f"Delivered    {delivered}")
    if shown.data is not None:
        lines.append(f"Data         {_data_in_words(shown.data)}")
    lines += [f"Tests        {one.in_words()}" for one in shown.tests]
    lines += [f"Look at      {one}" for one in shown.trouble]
    sys.stdout.write("\n".join(lines) + "\n")


def _data_in_words(data: Data) -> str:
    cap = "no cap" if data.cap_bytes is None else f"of {_mb(data.cap_bytes)}"
    words = f"{_mb(data.used_bytes)} used in {data.month}, {cap}"
    if data.forecast_bytes is not None:
        words += f", {_mb(data.forecast_bytes)} expected by its end"
    if data.slots_left_count and data.tests_left_count is not None and data.tests_left_count < data.slots_left_count:
        words += f"; {data.tests_left_count} of {data.slots_left_count} tests fit"
    return words


def _mb(count_bytes: int) -> str:
    return f"{count_bytes / 1e6:.1f} MB"
