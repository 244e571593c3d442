"""`mektep-collector audit`: the log of changes."""

import re
from typing import Annotated

import typer

from mektep_collector.cli.settled import (
    FAILED,
    USAGE,
    AsJson,
    ConfigFile,
    DataDir,
    opened_registry,
    settle,
    show_json,
    stop,
    tell,
)
from mektep_collector.registry.change_chain import NO_HASH, Change

_END = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")

app = typer.Typer(no_args_is_help=True, help="The log of changes: who changed what, and when.")


@app.callback()
def _audit() -> None:
    """Look at and check the log of changes."""


@app.command("list")
def list_changes(
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the newest changes to show.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """List the newest changes, the last one first."""
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        changes = registry.changes.newest(count)
    if as_json:
        show_json({"changes": [_shown(change) for change in changes]})
        return
    for change in changes:
        typer.echo(f"{change.number}  {change.at:%Y-%m-%d %H:%M:%S}  {change.actor}  {change.action}  {change.object}")
    tell(f"{len(changes)} changes; times are UTC")


@app.command("verify")
def verify(
    end: Annotated[
        str | None, typer.Option(help="An end that an earlier check printed and you kept elsewhere: NUMBER:HASH.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Check that no change was edited, removed, reordered or added by another hand; ends with 1 where one was.

    Keep the end that it prints outside this computer: with `--end` a later check also finds an older copy put back.
    """
    number, noted = _noted(end)
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        found = registry.changes.verify(number, noted)
    if as_json:
        show_json({"count": found.count, "end": f"{found.count}:{found.end_hash.hex()}", "fault": found.fault})
    if found.fault is not None:
        stop(f"the log of changes does not hold at change {found.fault.number}: {found.fault.reason}", FAILED)
    if not as_json:
        typer.echo(f"{found.count}:{found.end_hash.hex()}")
        tell(f"{found.count} changes, the chain holds; the line above is its end")


def _noted(end: str | None) -> tuple[int, bytes]:
    if end is None:
        return 0, NO_HASH
    parts = _END.fullmatch(end)
    if parts is None:
        stop("--end reads NUMBER:HASH with 64 hexadecimal digits, as `audit verify` prints it", USAGE)
    return int(parts[1]), bytes.fromhex(parts[2])


def _shown(change: Change) -> dict[str, object]:
    return {
        "number": change.number,
        "at": change.at,
        "actor": change.actor,
        "action": change.action,
        "object": change.object,
        "before_hash": None if change.before_hash is None else change.before_hash.hex(),
        "after_hash": None if change.after_hash is None else change.after_hash.hex(),
        "hash": change.hash.hex(),
    }
