"""What `status` says of tests: this network's links towards the assigned target, in words."""

from mektep_agent.probes.audit.memory import Link, LinkRecord
from mektep_agent.probes.audit.standing import standings
from mektep_agent.statistics.trust import Reliance, Trust
from mektep_wire import Direction
from tests.support.agent_time import MONDAY_NOON

TARGET = "ws://h:8081"


def record(direction: Direction, trust: Trust, target: str = TARGET, network: str = "school") -> LinkRecord:
    return LinkRecord(link=Link(target, direction, network), method="frugal/1", at=MONDAY_NOON, trust=trust)


def test_each_direction_of_this_network_has_its_line() -> None:
    fallen = Trust(reliance=Reliance.FULL_LENGTH, errors_ratio=(0.5, -0.1, 0.2), audits_count=3)
    records = [
        record(Direction.UPLOAD, fallen),
        record(Direction.DOWNLOAD, Trust(errors_ratio=(-0.012,), audits_count=1)),
        record(Direction.DOWNLOAD, fallen, network="home"),
        record(Direction.DOWNLOAD, fallen, target="ws://other:8081"),
    ]
    assert [one.in_words() for one in standings(records, TARGET, "school")] == [
        "download: shortened; 1 audit, error 1.2%",
        "upload: full length, as short tests missed too much; 3 audits, error 20.0%",
    ]


def test_nothing_known_is_nothing_said() -> None:
    assert standings([], TARGET, "school") == ()
