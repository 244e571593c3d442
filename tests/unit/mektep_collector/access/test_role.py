import pytest

from mektep_collector.access.role import Action, Role, may
from mektep_collector.access.scope import WHOLE_COUNTRY, Scope

MAY = {
    Role.VIEWER: {Action.LOOK},
    Role.ANALYST: {Action.LOOK, Action.EXPORT},
    Role.OPERATOR: {Action.LOOK, Action.EXPORT, Action.OPERATE},
    Role.ADMINISTRATOR: {Action.LOOK, Action.EXPORT, Action.OPERATE, Action.ADMINISTER},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_what_each_role_may_do(role: Role, action: Action) -> None:
    assert may(role, action) == (action in MAY[role])


def test_a_scope_has_its_regions_and_no_other() -> None:
    south = Scope(frozenset({"KZ-61", "KZ-79"}))
    assert [south.includes(region) for region in ("KZ-61", "KZ-79", "KZ-75", "")] == [True, True, False, False]
    assert WHOLE_COUNTRY.includes("KZ-75")
