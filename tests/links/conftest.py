"""Every test here needs the link laboratory, and says why it cannot have it."""

import pytest

from tests.support.links import obstacle
from tests.support.links.iperf3 import iperf3_obstacle
from tests.support.links.ping import ping_obstacle
from tests.support.requirement import require


@pytest.fixture(scope="session")
def laboratory_obstacle() -> str | None:
    return obstacle()


@pytest.fixture(autouse=True)
def _laboratory(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("rights") is None:
        return
    reason = request.getfixturevalue("laboratory_obstacle") or iperf3_obstacle() or ping_obstacle()
    require(reason is None, reason or "")
