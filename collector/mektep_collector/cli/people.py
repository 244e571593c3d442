"""`mektep-collector people`: who is let see and do what, where `pages_for` is `people`."""

import sys
from typing import Annotated

import segno
import typer

from mektep_collector.access.role import Role
from mektep_collector.access.scope import WHOLE_COUNTRY, Scope
from mektep_collector.cli.settled import (
    USAGE,
    AsJson,
    ConfigFile,
    DataDir,
    opened_registry,
    operator,
    settle,
    show_json,
    stop,
    tell,
)
from mektep_collector.registry.people import Person

app = typer.Typer(no_args_is_help=True, help="People who may see pages, their roles and regions.")

_Login = Annotated[str, typer.Argument(metavar="LOGIN", help="Login, such as a work address.")]
_Role = Annotated[Role, typer.Option(help="What they may do, each more than the one before.")]
_Regions = Annotated[
    list[str] | None,
    typer.Option("--region", help="A region that they may see, such as KZ-61; may be repeated. Default: all."),
]


@app.callback()
def _people() -> None:
    """People who may see pages, their roles and regions."""


@app.command("add")
def add(
    login: _Login,
    role: _Role = Role.VIEWER,
    region: _Regions = None,
    oidc: Annotated[
        bool, typer.Option("--oidc", help="Without a password: by the identity provider of `oidc_issuer` alone.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Let somebody in. The password is asked for, or read from standard input."""
    if oidc and "@" not in login:
        stop(f"an identity provider names people by their e-mail address, and {login!r} is none", USAGE)
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        person = registry.people.add(login, role, _scope(region), None if oidc else _password(), operator())
    _show(person, "may log in now", as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """List everybody, disabled ones too."""
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        found = registry.people.all()
    if as_json:
        show_json({"people": [_shown(person) for person in found]})
        return
    for person in found:
        typer.echo(
            f"{person.login}  {person.status.value}  {person.role.value}  {_where(person.scope)}  {_factors(person)}  "
            f"since {person.added_at:%Y-%m-%d}"
        )
    tell(f"{len(found)} people; times are UTC")


@app.command("role")
def role_(
    login: _Login,
    role: Annotated[Role, typer.Argument(help="What they may do, each more than the one before.")],
    region: _Regions = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Give somebody another role, and these regions. It holds from their next page on."""
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        person = registry.people.change(login, role, _scope(region), operator())
    _show(person, f"is {person.role.value} now, {_where(person.scope)}", as_json=as_json)


@app.command("disable")
def disable(login: _Login, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Let somebody in no more. Open sessions end at once; what they did stays in the log of changes."""
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        person = registry.people.disable(login, operator())
    _show(person, "is let in no more", as_json=as_json)


@app.command("enable")
def enable(login: _Login, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Let somebody in again who was disabled."""
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        person = registry.people.enable(login, operator())
    _show(person, "may log in again", as_json=as_json)


@app.command("password")
def password(
    login: _Login,
    off: Annotated[
        bool, typer.Option("--off", help="Take password and second factor away: by the identity provider alone.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Give somebody a new password: asked for, or read from standard input. Open sessions end at once."""
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        if off:
            _show(registry.people.drop_password(login, operator()), "has no password any more", as_json=as_json)
            return
        registry.people.get(login)
        person = registry.people.set_password(login, _password(), operator())
    _show(person, "has a new password", as_json=as_json)


@app.command("totp")
def totp(
    login: _Login,
    off: Annotated[bool, typer.Option("--off", help="Ask for the password alone from now on.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Ask somebody for a code from their phone too. Shows, this once, what the phone's app takes in."""
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        if off:
            _show(registry.people.drop_second_factor(login, operator()), "needs no code any more", as_json=as_json)
            return
        address = registry.people.set_second_factor(login, operator())
    if as_json:
        show_json({"login": login, "address": address})
        return
    if sys.stdout.isatty():
        segno.make(address).terminal(compact=True)
    typer.echo(address)
    tell(f"Let {login} take this in with an app for such codes (RFC 6238), and let nobody else see it.")


def _password() -> str:
    """Ask for a password twice without showing it; from a pipe, its first line."""
    if not sys.stdin.isatty():
        text = sys.stdin.readline().rstrip("\r\n")
        if not text:
            stop("no password came on standard input; write it there on a line, or run this in a terminal", USAGE)
        return text
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    return asked


def _scope(regions: list[str] | None) -> Scope:
    return Scope(frozenset(code.strip().upper() for code in regions)) if regions else WHOLE_COUNTRY


def _where(scope: Scope) -> str:
    return "the whole country" if scope.regions is None else ", ".join(sorted(scope.regions))


def _factors(person: Person) -> str:
    if not person.has_password:
        return "by the identity provider alone"
    return "with a second factor" if person.has_second_factor else "password only"


def _show(person: Person, what: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"person": _shown(person)})
    else:
        tell(f"{person.login} {what}")


def _shown(person: Person) -> dict[str, object]:
    return {
        "login": person.login,
        "role": person.role,
        "regions": None if person.scope.regions is None else sorted(person.scope.regions),
        "status": person.status,
        "has_password": person.has_password,
        "has_second_factor": person.has_second_factor,
        "added_at": person.added_at,
    }
