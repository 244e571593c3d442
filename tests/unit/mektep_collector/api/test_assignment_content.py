"""What an operator sets about platforms reaches the devices."""

from datetime import UTC, datetime

from mektep_collector.api.assignment_content import MeasuringPoints, compose_assignment
from mektep_collector.config import Config
from mektep_wire import ProbeName
from tests.support.invented_schools import MET, device


def test_platforms_and_their_interval_are_in_the_assignment() -> None:
    config = Config(platforms=("A=https://a.kz/ text", "B=https://b.kz/"), platform_interval_s=7_200.0)
    points = MeasuringPoints(ndt7_url=None, echo_url=None, platforms=config.learning_platforms())
    made = compose_assignment(MET, device(MET).id, bytes(32), points, config, 1, datetime(2026, 11, 23, tzinfo=UTC))
    assert made.platform_interval_s == 7_200.0
    assert [(target.probe, target.address) for target in made.targets] == [
        (ProbeName.PLATFORM, "https://a.kz/"),
        (ProbeName.PLATFORM, "https://b.kz/"),
    ]
