"""What an entrance says of who comes."""

from enum import StrEnum

import msgspec

from mektep_collector.access.role import Role
from mektep_collector.access.scope import WHOLE_COUNTRY, Scope


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks at a page. `login` is empty where pages are for everyone.

    `form_key` stands in each form that changes something: another site cannot know it.
    """

    role: Role = Role.VIEWER
    scope: Scope = WHOLE_COUNTRY
    login: str = ""
    form_key: str = ""


class Entered(msgspec.Struct, frozen=True):
    """A session has begun. `token` is shown this once; it is good for `lifetime_s` at most."""

    token: str
    lifetime_s: int


class Refusal(StrEnum):
    """Why nobody was let in. Which part was wrong is never told."""

    WRONG = "wrong"
    TOO_OFTEN = "too_often"


class Refused(msgspec.Struct, frozen=True):
    """Nobody was let in; after `wait_s` there may be another try."""

    refusal: Refusal
    wait_s: int = 0
