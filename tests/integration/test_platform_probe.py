"""From an assignment to a reading as the daemon does it: the page is fetched by a process of its own, which ends."""

import asyncio
from pathlib import Path

import psutil
import pytest

from mektep_agent.config import Config, LocalTargets
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.kit import kit_of
from mektep_agent.engines.assigned import Reach
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.http.child import PagesInChild
from mektep_agent.probes.platform import PLATFORMS_TARGET
from mektep_agent.probes.probe import Run
from mektep_wire import FailureKind, Metric, Outcome, ProbeName, Reading, Target, Trigger
from tests.support.certificate import CertificateFiles, make_certificate
from tests.support.school_assignment import school
from tests.support.scripted_platform import Script, answer, scripted_platform, stay_silent

HERE = Reach(local_targets=LocalTargets.ALLOWED)
RUN = Run(trigger=Trigger.INTERVAL, boot_id="00000000-0000-4000-8000-000000000001")


@pytest.fixture(autouse=True)
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CertificateFiles:
    """A certificate that this computer's programs trust, and no proxy."""
    made = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    monkeypatch.setenv("NO_PROXY", "localhost")
    return made


def measured(folder: Path, script: Script, certificate: CertificateFiles, config: Config) -> Reading:
    """Run the platform probe of a kit once against a platform on this computer."""

    async def run() -> Reading:
        async with scripted_platform({"/": script}, certificate) as platform:
            target = Target(probe=ProbeName.PLATFORM, address=platform.url(), expected_text="Mektep")
            kit = kit_of(school(targets=[target]), StateFolder(folder), config)
            assert kit.targets[ProbeName.PLATFORM] == PLATFORMS_TARGET
            readings = await kit.probes[ProbeName.PLATFORM].run(RUN)
            assert [reading.target for reading in readings] == [platform.url()]
            return readings[0]

    return asyncio.run(run())


def test_a_platform_of_the_assignment_is_measured_by_a_process_that_ends(
    tmp_path: Path, certificate: CertificateFiles
) -> None:
    config = Config(local_targets=LocalTargets.ALLOWED)
    reading = measured(tmp_path, answer("200 OK", b"Mektep" * 100), certificate, config)
    assert reading.outcome is Outcome.OK, reading.failure
    assert set(reading.values) == {
        Metric.DNS_LOOKUP_MS,
        Metric.TCP_CONNECT_MS,
        Metric.TLS_HANDSHAKE_MS,
        Metric.TTFB_MS,
        Metric.SMALL_OBJECT_MS,
        Metric.REDIRECTS_COUNT,
    }
    assert 600 < reading.bytes_received < 6_000
    assert psutil.Process().children() == []


def test_what_went_wrong_comes_over_from_that_process(tmp_path: Path, certificate: CertificateFiles) -> None:
    config = Config(local_targets=LocalTargets.ALLOWED)
    reading = measured(tmp_path, answer("503 Service Unavailable"), certificate, config)
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.HTTP_SERVER_ERROR
    assert reading.bytes_received > 500


def test_without_the_setting_for_tests_no_address_of_this_computer_is_contacted(
    tmp_path: Path, certificate: CertificateFiles
) -> None:
    reading = measured(tmp_path, answer("200 OK", b"Mektep"), certificate, Config())
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.ENGINE_UNAVAILABLE
    assert "not contacted" in reading.failure.detail
    assert reading.bytes_sent == 0


def test_a_daemon_that_ends_takes_the_process_with_it(certificate: CertificateFiles) -> None:
    async def run() -> None:
        is_asked = asyncio.Event()

        async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            is_asked.set()
            await stay_silent(reader, writer)

        async with scripted_platform({"/": stay}, certificate) as platform:
            engine = PagesInChild(HERE)
            running = asyncio.create_task(engine.measure(platform.url(), None))
            await is_asked.wait()
            assert len(psutil.Process().children()) == 1
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                async with asyncio.timeout(5.0):  # it would end by itself too, but later
                    await running
            assert psutil.Process().children() == []

    asyncio.run(run())


def test_a_process_that_takes_too_long_or_is_killed_gives_a_failure(certificate: CertificateFiles) -> None:
    async def run() -> list[FailureKind]:
        is_asked = asyncio.Event()

        async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            is_asked.set()
            await stay_silent(reader, writer)

        kinds = []
        async with scripted_platform({"/": stay}, certificate) as platform:
            with pytest.raises(EngineError) as late:
                await PagesInChild(HERE, timeout_s=0.1).measure(platform.url(), None)
            kinds.append(late.value.kind)
            is_asked.clear()
            running = asyncio.create_task(PagesInChild(HERE).measure(platform.url(), None))
            await is_asked.wait()
            psutil.Process().children()[0].kill()
            with pytest.raises(EngineError) as killed:
                await running
            kinds.append(killed.value.kind)
        return kinds

    assert asyncio.run(run()) == [FailureKind.TIMEOUT, FailureKind.INTERRUPTED]
