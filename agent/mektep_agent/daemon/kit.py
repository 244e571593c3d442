"""What an assignment is measured with: its probes, with M-Lab's rules around them where it names M-Lab."""

import logging
import random
from collections.abc import Mapping

from mektep_agent.clock import SystemTime
from mektep_agent.config import Config
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.looks import build_looks
from mektep_agent.daemon.measuring import Kit
from mektep_agent.engines.assigned import AssignedTargets, Reach
from mektep_agent.engines.http.child import PagesInChild
from mektep_agent.identity.device import Device, load_device
from mektep_agent.link.gateway import default_gateway
from mektep_agent.link.network import this_network
from mektep_agent.mlab.consent import Consent
from mektep_agent.mlab.locate import is_locate
from mektep_agent.mlab.probe import MlabProbe
from mektep_agent.politeness.quiet import Busy
from mektep_agent.probes.audit.conduct import AuditedTests, AuditTerms
from mektep_agent.probes.audit.frugal import Frugal
from mektep_agent.probes.audit.memory import FolderMemory
from mektep_agent.probes.cause.build import build_witness, expected_of
from mektep_agent.probes.manner import Manner
from mektep_agent.probes.outage.heart import Heart, build_heart
from mektep_agent.probes.platform import PLATFORMS_TARGET, PlatformProbe, platforms_of
from mektep_agent.probes.probe import Probe
from mektep_agent.probes.table import FULL_LENGTH_LIMITS, Targets, build_probes, targets_of
from mektep_wire import Assignment, ProbeName

_LOG = logging.getLogger(__name__)


def kit_of(assignment: Assignment, folder: StateFolder, config: Config) -> Kit:
    """Return what to measure with; without a target for throughput, the platforms alone, until there is another."""
    chance = random.SystemRandom()
    device = load_device(folder)
    reach = Reach(
        local_targets=config.local_targets, collector_address=device.collector_address if device is not None else ""
    )
    assigned = AssignedTargets(reach)
    platforms = _platforms(assignment, reach, chance)
    try:
        targets = targets_of(assignment)
    except ValueError:
        return Kit(probes=platforms, targets={ProbeName.PLATFORM: PLATFORMS_TARGET})
    tests = AuditedTests(
        Frugal(),
        targets.throughput,
        AuditTerms.of(assignment),
        FolderMemory(folder, SystemTime()),
        this_network,
        SystemTime(),
        FULL_LENGTH_LIMITS,
    )
    probes = {**build_probes(targets, SystemTime(), chance, manner=tests, assigned=assigned), **platforms}
    looks = dict(build_looks(targets.echo, SystemTime(), chance, assigned.resolve))
    echo: str | None = targets.echo
    if is_locate(targets.throughput):
        probes = _by_mlabs_rules(probes, targets, tests, folder, config, reach)
        if not any(target.probe is ProbeName.LATENCY for target in assignment.targets):
            # M-Lab's Locate echoes nothing, and is not there to be probed.
            del probes[ProbeName.LATENCY], looks[Busy.ECHO_RTT]
            echo = None
    heart = _heart_of(assignment, targets, device, assigned)
    return Kit(
        probes=probes,
        targets={
            ProbeName.THROUGHPUT: targets.throughput,
            ProbeName.LATENCY: targets.echo,
            ProbeName.PATH: targets.path,
            ProbeName.PLATFORM: PLATFORMS_TARGET,
        },
        looks=looks,
        heart=heart,
        witness=build_witness(echo, heart.locator, expected_of(assignment), SystemTime(), chance, assigned.resolve),
    )


def _heart_of(assignment: Assignment, targets: Targets, device: Device | None, assigned: AssignedTargets) -> Heart:
    """Return the heartbeat of an assignment: with M-Lab's servers it beats towards the collector alone."""
    collectors = [device.collector_url] if device is not None else []
    echo: str | None = targets.echo
    connect = targets.throughput
    if is_locate(targets.throughput):
        echoes = [target.address for target in assignment.targets if target.probe is ProbeName.LATENCY]
        echo = echoes[0] if echoes else None
        connect = collectors[0] if collectors else connect
    elsewhere = [target.address for target in assignment.targets if not is_locate(target.address)]
    return build_heart(
        echo,
        connect,
        [*collectors, *elsewhere],
        default_gateway,
        SystemTime(),
        random.SystemRandom(),
        assigned.resolve,
    )


def _platforms(assignment: Assignment, reach: Reach, chance: random.Random) -> dict[ProbeName, Probe]:
    platforms = platforms_of(assignment)
    if not platforms:
        return {}
    pages = PagesInChild(reach)
    return {ProbeName.PLATFORM: PlatformProbe(pages, platforms, SystemTime(), chance)}


def _by_mlabs_rules(
    probes: Mapping[ProbeName, Probe],
    targets: Targets,
    tests: Manner,
    folder: StateFolder,
    config: Config,
    reach: Reach,
) -> dict[ProbeName, Probe]:
    """Return the probes with throughput as M-Lab allows it, or without it where the school has not consented."""
    others = dict(probes)
    del others[ProbeName.THROUGHPUT]
    chance = random.SystemRandom()

    def probe_of(address: str) -> Probe:
        located = Targets(throughput=address, echo=targets.echo, path=targets.path)
        return build_probes(located, SystemTime(), chance, manner=tests, assigned=AssignedTargets(reach))[
            ProbeName.THROUGHPUT
        ]

    try:
        consent = Consent(config.mlab_data_policy)
    except ValueError as error:
        _LOG.warning("mlab_not_accepted", extra={"detail": str(error)})
        return others
    probe = MlabProbe(consent, targets.throughput, probe_of, folder, SystemTime(), chance, reach)
    return {**others, ProbeName.THROUGHPUT: probe}
