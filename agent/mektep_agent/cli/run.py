"""`mektep-agent run`: measure and send, until told to end."""

import os
import subprocess
import sys
from typing import Annotated

import msgspec
import typer

from mektep_agent.cli.settle import ConfigOption, JsonOption, StateDirOption, fail, folder_of, settle
from mektep_agent.daemon.exit_code import ExitCode
from mektep_agent.daemon.order import Manner, Printed, RunOrder
from mektep_agent.identity.adoption import checked
from mektep_agent.identity.device import IdentityError, load_device
from mektep_agent.identity.last_assignment import AssignmentError, load_signed

_MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "65536"}


def run(
    once: Annotated[
        bool, typer.Option("--once", help="Measure once at once, deliver, and end; fails if it was not delivered.")
    ] = False,
    as_json: JsonOption = False,
    log_level: Annotated[str | None, typer.Option(help="Least weight of a log line: debug, info, warning.")] = None,
    log_form: Annotated[str | None, typer.Option(help="How log lines look: auto, json, text.")] = None,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Measure by the school's schedule, keep every reading, and send. Works before the network is there."""
    if as_json and not once:
        raise typer.BadParameter("--json prints the readings of --once; the log is JSON by --log-form json")
    settings = settle(state_dir, config, log_level=log_level, log_form=log_form).config
    folder = folder_of(settings)
    try:
        device = load_device(folder)
        if device is None:
            fail("this computer is no device yet: run `mektep-agent enrol URL --code CODE` first", ExitCode.FAILED)
        signed = load_signed(folder)
        if signed is not None:
            checked(signed, device.collector_public_key, device.device_id)
    except IdentityError as error:
        fail(str(error), ExitCode.FAILED)
    except AssignmentError:
        # What is not the collector's must not be followed; the daemon fetches it again.
        folder.assignment.replace(folder.assignment.with_name("assignment-refused.json"))
    order = RunOrder(
        state_dir=str(folder.path),
        config=settings,
        manner=Manner.ONCE if once else Manner.KEEP_ON,
        printed=Printed.READINGS if as_json else Printed.NOTHING,
    )
    _become([sys.executable, "-P", "-m", "mektep_agent.daemon", msgspec.json.encode(order).decode()])


def _become(command: list[str]) -> None:
    """Turn this process into the daemon: the command line's libraries would stay in its memory for months."""
    environment = {**os.environ, **{name: value for name, value in _MEMORY.items() if name not in os.environ}}
    if os.name == "posix":
        os.execve(command[0], command, environment)  # noqa: S606 (our own interpreter)
    # Windows has no exec; the daemon is a child there, and its end is ours.
    raise typer.Exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603 (as above)
