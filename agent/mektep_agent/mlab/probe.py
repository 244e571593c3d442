"""Throughput against a server that M-Lab names: asked for one only when M-Lab's rules let a test begin."""

from collections.abc import Callable, Sequence
from random import Random
from urllib.parse import urlsplit

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.engines.assigned import Reach
from mektep_agent.engines.engine import EngineError
from mektep_agent.mlab.answer import Located, LocateOutcome
from mektep_agent.mlab.consent import Consent
from mektep_agent.mlab.locate import locate
from mektep_agent.mlab.policy import MlabLog, may_begin, set_right, with_refusal, with_test
from mektep_agent.probes.draft import Draft
from mektep_agent.probes.probe import Probe, Run
from mektep_wire import (
    VERSION,
    Direction,
    EngineName,
    FailureKind,
    Outcome,
    ProbeName,
    Reading,
    SkipReason,
)


class MlabProbe:
    """Implements `Probe`. There is none without a `Consent`.

    `probe_of` makes the throughput probe for the server's address. The reading names the server without the access
    token that its address holds.
    """

    def __init__(
        self,
        consent: Consent,
        target: str,
        probe_of: Callable[[str], Probe],
        folder: StateFolder,
        time: TimeSource,
        random: Random,
        reach: Reach,
    ) -> None:
        self._consent = consent
        self._target = target
        self._probe_of = probe_of
        self._folder = folder
        self._time = time
        self._random = random
        self._reach = reach

    @property
    def name(self) -> ProbeName:
        """The probe's name on the wire."""
        return ProbeName.THROUGHPUT

    async def run(self, run: Run) -> Sequence[Reading]:
        """Measure once, or say that the target's rules allow no test now."""
        now = self._time.now()
        log = set_right(self._log(), now)
        if not may_begin(log, now):
            return self._skipped(run)
        # On disk before the first byte: a kill in mid-test must not buy another test.
        self._keep(with_test(log, now, self._random))
        located = await locate(self._target, self._consent, self._reach)
        if located.outcome is LocateOutcome.NO_CAPACITY:
            self._keep(with_refusal(log, now, self._random, located.retry_after_s))
            return self._skipped(run)
        if located.outcome is LocateOutcome.FAILED:
            return self._failed(run, located)
        readings = await self._probe_of(located.address).run(run)
        server = urlsplit(located.address)
        return [msgspec.structs.replace(one, target=f"{server.scheme}://{server.netloc}") for one in readings]

    def _log(self) -> MlabLog:
        try:
            return msgspec.json.decode(self._folder.mlab.read_bytes(), type=MlabLog)
        except FileNotFoundError:
            return MlabLog()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            # What was done is not known: as if a test had just been made, the next one waits its time.
            log = with_test(MlabLog(), self._time.now(), self._random)
            self._keep(log)
            return log

    def _keep(self, log: MlabLog) -> None:
        self._folder.write(self._folder.mlab, msgspec.json.encode(log))

    def _drafts(self, run: Run) -> list[tuple[int, Draft]]:
        return [
            (seq, Draft(self._time, self._random, run, ProbeName.THROUGHPUT, self._target, direction))
            for seq, direction in enumerate(Direction, start=1)
        ]

    def _failed(self, run: Run, located: Located) -> list[Reading]:
        error = EngineError(located.failure or FailureKind.PROTOCOL_ERROR, located.detail)
        return [draft.failed(EngineName.NDT7, VERSION, error, seq) for seq, draft in self._drafts(run)]

    def _skipped(self, run: Run) -> list[Reading]:
        unrun = EngineError(FailureKind.ENGINE_UNAVAILABLE, "")
        return [
            msgspec.structs.replace(
                draft.failed(EngineName.NDT7, VERSION, unrun, seq),
                outcome=Outcome.SKIPPED,
                failure=None,
                skip=SkipReason.TARGET_POLICY,
            )
            for seq, draft in self._drafts(run)
        ]
