"""The method `frugal/1` as a shortcut that audits hold to its promise."""

import logging

import msgspec

from mektep_agent.engines.engine import StopRule
from mektep_agent.probes.audit.shortcut import Shortening
from mektep_agent.sample import ThroughputSample
from mektep_agent.statistics.frugal import FRUGAL_METHOD, FrugalStop, frugal_throughput
from mektep_agent.statistics.link_knowledge import LinkKnowledge, learn
from mektep_agent.statistics.throughput import Throughput
from mektep_agent.statistics.yardstick import yardstick

_LOG = logging.getLogger(__name__)


class FrugalShortening:
    """Implements `Shortening` with what is known of one link."""

    def __init__(self, knowledge: LinkKnowledge) -> None:
        self.stop: StopRule = FrugalStop(knowledge)
        self._knowledge = knowledge

    def throughput(self, sample: ThroughputSample) -> Throughput:
        """Return the throughput by `frugal/1`."""
        return frugal_throughput(sample, self._knowledge)

    def full_length(self, sample: ThroughputSample) -> Throughput:
        """Return the throughput by `full_length/2`."""
        return yardstick(sample)

    def learnt_from(self, sample: ThroughputSample) -> bytes:
        """Return what is known of the link after a whole transfer."""
        return msgspec.json.encode(learn(self._knowledge, sample))


class Frugal:
    """Implements `Shortcut`."""

    @property
    def method(self) -> str:
        """Name and version as in a reading."""
        return FRUGAL_METHOD

    def recall(self, learnt: bytes | None) -> Shortening:
        """Return the method with what was learnt of a link; what does not read is learnt anew."""
        knowledge = LinkKnowledge()
        if learnt is not None:
            try:
                knowledge = msgspec.json.decode(learnt, type=LinkKnowledge)
            except msgspec.DecodeError as error:
                _LOG.warning("link_knowledge_lost", extra={"detail": str(error)})
        return FrugalShortening(knowledge)
