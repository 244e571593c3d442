"""What an operator sets about platforms and tokens reaches the devices."""

from datetime import UTC, datetime

import msgspec

from mektep_collector.api.assignment_content import MeasuringPoints, compose_assignment
from mektep_collector.config import Config
from mektep_wire import ProbeName, encode
from tests.support.invented_schools import MET, device


def test_platforms_and_their_interval_are_in_the_assignment() -> None:
    config = Config(platforms=("A=https://a.kz/ text", "B=https://b.kz/"), platform_interval_s=7_200.0)
    points = MeasuringPoints(ndt7_url=None, echo_url=None, platforms=config.learning_platforms())
    made = compose_assignment(MET, device(MET), bytes(32), points, config, 1, datetime(2026, 11, 23, tzinfo=UTC))
    assert made.platform_interval_s == 7_200.0
    assert [(target.probe, target.address) for target in made.targets] == [
        (ProbeName.PLATFORM, "https://a.kz/"),
        (ProbeName.PLATFORM, "https://b.kz/"),
    ]


def test_when_tokens_are_renewed_is_in_the_assignment_and_left_out_where_nobody_changed_it() -> None:
    points, now = MeasuringPoints(ndt7_url=None, echo_url=None), datetime(2026, 11, 23, tzinfo=UTC)
    asked = msgspec.structs.replace(device(MET), renewal_asked_at=now)
    made = compose_assignment(MET, asked, bytes(32), points, Config(token_lifetime_days=1), 1, now)
    assert (made.token_lifetime_s, made.renewal_asked_at) == (86_400.0, now)
    plain = encode(compose_assignment(MET, device(MET), bytes(32), points, Config(), 1, now))
    assert b"token" not in plain
    assert b"renewal" not in plain
