"""`mektep-agent enrol`: this computer becomes a device of a school."""

import re
import sys
from enum import Enum, auto
from typing import Annotated

import msgspec
import typer

from mektep_agent.cli.settle import ConfigOption, JsonOption, StateDirOption, fail, folder_of, say, settle
from mektep_agent.clock import SystemTime
from mektep_agent.config.lock import LockedError, only_one
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.exit_code import ExitCode
from mektep_agent.identity.address import AddressError, PlainHttp, collector_address
from mektep_agent.identity.device import Device, IdentityError, load_device
from mektep_agent.uplink.enrol import EnrolmentError, UnreachedError
from mektep_agent.uplink.enrol import enrol as ask_to_enrol
from mektep_agent.uplink.http_collector import http_collector

_CODE = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")


class _Choice(Enum):
    KEEP = auto()
    REPLACE = auto()


def enrol(
    url: Annotated[str, typer.Argument(help="Address of the collector, https://HOST.")],
    code: Annotated[str, typer.Option(help="The one-time code that the collector's operator gave for this school.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace the device that this computer is.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the device that this computer is, if it is one.")] = False,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Allow an address without TLS on a network that is trusted.")
    ] = False,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make this computer a device of a school. Safe to repeat with the same code when the answer was lost."""
    if replace and keep:
        raise typer.BadParameter("say --replace or --keep, not both")
    code = code.strip().lower()
    if not _CODE.fullmatch(code):
        raise typer.BadParameter("a code reads like abc123.0123456789abcdef", param_hint="--code")
    settings = settle(state_dir, config).config
    folder = folder_of(settings)
    plain_http = PlainHttp.ALLOWED if insecure_http else PlainHttp.REFUSED
    try:
        address = collector_address(url, plain_http)
        folder.make()
        with only_one(folder.lock):
            before = _before(folder, replace)
            if before is not None and _choice(before, replace, keep) is _Choice.KEEP:
                _show(before, as_json, "This computer stays the device that it was")
                return
            with http_collector(
                address,
                SystemTime(),
                connect_timeout_s=settings.connect_timeout_s,
                request_timeout_s=settings.request_timeout_s,
            ) as collector:
                device = ask_to_enrol(folder, collector, address, code, plain_http, SystemTime())
    except AddressError as error:
        fail(str(error), ExitCode.USAGE)
    except UnreachedError as error:
        fail(str(error), ExitCode.OUT_OF_REACH)
    except (EnrolmentError, IdentityError, LockedError, OSError) as error:
        fail(str(error), ExitCode.FAILED)
    if before is not None:
        say(f"The earlier device {before.device_id} and its outbox are set aside in {folder.path}.")
    _show(device, as_json, "Enrolled")


def _before(folder: StateFolder, replace: bool) -> Device | None:
    try:
        return load_device(folder)
    except IdentityError:
        if replace:
            return None
        raise


def _choice(before: Device, replace: bool, keep: bool) -> _Choice:
    if replace or keep:
        return _Choice.REPLACE if replace else _Choice.KEEP
    told = f"This computer is a device of {before.school_name!r} already ({before.device_id})."
    if not sys.stdin.isatty():
        fail(f"{told} Say --keep or --replace.", ExitCode.USAGE)
    return _Choice.REPLACE if typer.confirm(f"{told} Replace it?", default=False, err=True) else _Choice.KEEP


def _show(device: Device, as_json: bool, words: str) -> None:
    say(f"{words}: {device.school_name} (device {device.device_id}).")
    if as_json:
        shown = {
            "device_id": device.device_id,
            "school_name": device.school_name,
            "collector_url": device.collector_url,
            "enrolled_at": device.enrolled_at,
        }
        sys.stdout.write(msgspec.json.encode(shown).decode() + "\n")
