"""Write the reference pages that are generated from the code, so that they cannot go stale.

`python -m tests.support.publish_reference` writes them; `pages()` is what a test compares.
"""

import ast
import inspect
import sys
from enum import StrEnum
from pathlib import Path

import msgspec
import typer
import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

import mektep_agent.cli
import mektep_agent.config
import mektep_collector.cli
import mektep_collector.config
from mektep_wire import METRICS, EngineName, FailureKind, Metric, Outcome, ProbeName, SkipReason, StopReason, Trigger

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
_NOTE = "<!-- Written by `make reference` from the code. Do not edit. -->\n"


def _member_notes(kind: type[StrEnum]) -> dict[str, str]:
    """Return the docstring that stands under each member of an enum, by the member's value; empty where none stands."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    notes: dict[str, str] = {}
    for statement, following in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            note = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                note = inspect.cleandoc(str(following.value.value))
            notes[str(statement.value.value)] = " ".join(note.split())
    return notes


def _field_notes(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstring that stands under each field of a Struct, by the field's name."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    notes: dict[str, str] = {}
    for statement, following in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            note = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                note = inspect.cleandoc(str(following.value.value))
            notes[statement.target.id] = " ".join(note.split())
    return notes


def _metrics() -> str:
    rows = [
        f"| `{metric.value}` | {METRICS[metric].unit.value} | {METRICS[metric].low:g} to {METRICS[metric].high:g} "
        f"| {METRICS[metric].meaning} |"
        for metric in Metric
    ]
    head = (
        "# Metrics\n\nA value outside its bounds is refused. Every value stands beside `sample_counts`, the number of "
        "observations that it rests on.\n\n| metric | unit | bounds | meaning |\n|---|---|---|---|\n"
    )
    return _NOTE + head + "\n".join(rows) + "\n"


def _vocabulary() -> str:
    parts = [_NOTE + "# Words of the wire\n\nEach list is closed: another word is refused.\n"]
    for kind in (ProbeName, EngineName, Outcome, FailureKind, SkipReason, StopReason, Trigger):
        parts.append(f"\n## {kind.__name__}\n\n{inspect.cleandoc(kind.__doc__ or '')}\n\n")
        notes = _member_notes(kind)
        parts.extend(f"- `{value}`{': ' + note if note else ''}\n" for value, note in notes.items())
    return "".join(parts)


def _parameter(parameter: TyperOption | TyperArgument) -> str:
    if isinstance(parameter, TyperOption):
        names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
        return f"- {names}: {parameter.help or ''}\n"
    return f"- `{(parameter.name or '').upper()}`: {parameter.help or ''}\n"


def _command(command: TyperCommand | TyperGroup, name: str, depth: int) -> str:
    text = f"\n{'#' * depth} `{name}`\n\n{inspect.cleandoc(command.help or '')}\n\n"
    for parameter in command.params:
        if isinstance(parameter, TyperOption | TyperArgument) and not parameter.hidden:
            text += _parameter(parameter)
    if isinstance(command, TyperGroup):
        for inner, found in command.commands.items():
            if isinstance(found, TyperCommand | TyperGroup) and not found.hidden:
                text += _command(found, f"{name} {inner}", min(depth + 1, 4))
    return text


def _root(app: typer.Typer) -> TyperGroup:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    return root


def _commands() -> str:
    agent, collector = _root(mektep_agent.cli.app), _root(mektep_collector.cli.app)
    head = (
        "# Commands\n\nExit codes: 0 good, 1 failed, 2 usage, 3 slow or degraded, 4 collector out of reach. "
        "JSON goes to stdout, messages to stderr.\n"
    )
    return _NOTE + head + _command(agent, "mektep-agent", 2) + _command(collector, "mektep-collector", 2)


def _settings() -> str:
    text = _NOTE + (
        "# Settings\n\nA flag goes before the environment, the environment before the file, the file before the "
        "default. `config show --origin` prints each value and where it came from.\n"
    )
    for program, kind, prefix in (
        ("mektep-agent", mektep_agent.config.Config, "MEKTEP_"),
        ("mektep-collector", mektep_collector.config.Config, "MEKTEP_COLLECTOR_"),
    ):
        text += f"\n## {program}\n\n| setting | environment | default | meaning |\n|---|---|---|---|\n"
        notes = _field_notes(kind)
        for field in msgspec.structs.fields(kind):
            shown = msgspec.json.encode(field.default).decode().strip('"')
            default = f"`{shown}`" if shown not in {"", "[]"} else "none"
            text += f"| `{field.name}` | `{prefix}{field.name.upper()}` | {default} | {notes[field.name]} |\n"
    return text


def pages() -> dict[str, str]:
    """Return the text of each generated page by its file name."""
    return {"metrics.md": _metrics(), "words.md": _vocabulary(), "commands.md": _commands(), "settings.md": _settings()}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page, content in pages().items():
        (FOLDER / page).write_text(content, "utf-8")
        sys.stderr.write(f"written: docs/reference/{page}\n")
