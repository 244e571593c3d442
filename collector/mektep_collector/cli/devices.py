"""`mektep-collector devices`: the computers that were enrolled."""

import base64
from datetime import datetime
from typing import Annotated

import typer

from mektep_collector.cli.settled import AsJson, ConfigFile, DataDir, opened_registry, operator, settle, show_json, tell
from mektep_collector.registry.records import Device

app = typer.Typer(help="Computers that were enrolled.")


@app.callback(invoke_without_command=True)
def devices(
    context: typer.Context,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """List the devices of all schools, revoked ones too."""
    if context.invoked_subcommand is not None:
        return
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        found = registry.devices.all()
        made_at = registry.tokens.in_use()
    if as_json:
        show_json({"devices": [_shown(device) | {"token_made_at": made_at.get(device.id)} for device in found]})
        return
    for device in found:
        typer.echo(
            f"{device.id}  {device.status.value:8}  school {device.school_id}  {device.platform}  "
            f"agent {device.agent_version}  enrolled {device.enrolled_at:%Y-%m-%d}  "
            f"seen {_at(device.last_seen_at)}  token of {_at(made_at.get(device.id))}"
            f"{_renewal(device, made_at.get(device.id))}"
        )
    tell(f"{len(found)} devices; times are UTC; a token is told of once it was used")


@app.command("revoke")
def revoke(
    device_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the device, as `devices` shows it.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Let a device send no more, within half a minute. What it has sent stays."""
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        device = registry.devices.revoke(device_id, operator())
    if as_json:
        show_json({"device": _shown(device)})
        return
    tell(f"device {device.id} of school {device.school_id} is revoked; within half a minute it can send no more")


@app.command("renew-token")
def renew_token(
    device_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Id of the device, as `devices` shows it.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Ask all devices.")] = False,
    end_others: Annotated[
        bool,
        typer.Option(
            "--end-others",
            help="Ask for nothing; end at once the tokens that the device left behind for a newer one.",
        ),
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Have a device renew its token when it comes next. The old one stays good until the new one was used for a while.

    Where a token leaked: ask, wait until `devices` shows that the device uses a newer one, then say --end-others.
    """
    if every is (device_id is not None):
        raise typer.BadParameter("say which device, or --all")
    if every and end_others:
        raise typer.BadParameter("--end-others is for one device")
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        if device_id is None:
            count = registry.tokens.ask_renewal_of_all(operator())
            said, words = {"asked_count": count}, f"{count} devices renew their tokens when they come next"
        elif end_others:
            count = registry.tokens.end_left_behind(device_id, operator())
            said, words = {"ended_count": count}, f"{count} tokens of device {device_id} end within half a minute"
        else:
            registry.tokens.ask_renewal(device_id, operator())
            said, words = {"asked_count": 1}, f"device {device_id} renews its token when it comes next"
    if as_json:
        show_json(said)
        return
    tell(words)


def _at(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _renewal(device: Device, made_at: datetime | None) -> str:
    asked_at = device.renewal_asked_at
    is_open = asked_at is not None and (made_at is None or made_at < asked_at)
    return f", asked to renew it {_at(asked_at)}" if is_open else ""


def _shown(device: Device) -> dict[str, object]:
    return {
        "id": device.id,
        "school_id": device.school_id,
        "status": device.status,
        "public_key": base64.b64encode(device.public_key).decode(),
        "enrolled_at": device.enrolled_at,
        "agent_version": device.agent_version,
        "platform": device.platform,
        "last_seen_at": device.last_seen_at,
        "renewal_asked_at": device.renewal_asked_at,
    }
