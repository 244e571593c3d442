"""Roles of people, and what each lets them do."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is to the collector, each more than the one before."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


class Action(StrEnum):
    """What may be done through pages and interfaces for people."""

    LOOK = "look"
    """See pages."""
    EXPORT = "export"
    """Take tables, reports and evidence away."""
    OPERATE = "operate"
    """Change schools, devices and alerts of the own regions."""
    ADMINISTER = "administer"
    """Change people and settings, read the log of changes."""


_MAY: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Action.LOOK}),
        Role.ANALYST: frozenset({Action.LOOK, Action.EXPORT}),
        Role.OPERATOR: frozenset({Action.LOOK, Action.EXPORT, Action.OPERATE}),
        Role.ADMINISTRATOR: frozenset(Action),
    }
)


def may(role: Role, action: Action) -> bool:
    """Tell whether a role includes an action; where, the person's scope says."""
    return action in _MAY[role]
