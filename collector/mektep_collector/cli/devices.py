"""`mektep-collector devices`: the computers that were enrolled."""

import base64
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
    if as_json:
        show_json({"devices": [_shown(device) for device in found]})
        return
    for device in found:
        seen = "never" if device.last_seen_at is None else f"{device.last_seen_at:%Y-%m-%d %H:%M}"
        typer.echo(
            f"{device.id}  {device.status.value:8}  school {device.school_id}  {device.platform}  "
            f"agent {device.agent_version}  enrolled {device.enrolled_at:%Y-%m-%d}  seen {seen}"
        )
    tell(f"{len(found)} devices; times are UTC")


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
    }
