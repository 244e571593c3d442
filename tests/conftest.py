"""What holds for all tests: how thorough property tests are, and that nothing is skipped unseen in CI."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from tests.support.peers.influxd import RunningInfluxd, influxd_obstacle, running_influxd
from tests.support.peers.postgresql import RunningPostgresql, postgresql_obstacle, running_postgresql
from tests.support.requirement import require

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skipped test as failed where `CI` is set: there, everything that a test needs must be present."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped where CI is set, so it counts as failed: {reason}"
    return report


@pytest.fixture(scope="session")
def postgresql() -> Iterator[RunningPostgresql]:
    """Run one PostgreSQL for the tests of this process. Its user must reach its folder, so that is no test's own."""
    obstacle = postgresql_obstacle()
    require(obstacle is None, str(obstacle))
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        with running_postgresql(Path(folder) / "server") as server:
            yield server


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInfluxd]:
    """Run one InfluxDB for the tests of this process."""
    obstacle = influxd_obstacle()
    require(obstacle is None, str(obstacle))
    with running_influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server
