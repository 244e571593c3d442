"""Links of known truth between network namespaces of a test's own."""

from tests.support.links.congestion import CongestionControl
from tests.support.links.error import LaboratoryError
from tests.support.links.forwarder import Counters, LinkCounters
from tests.support.links.laboratory import Joint, Laboratory, laboratory, obstacle
from tests.support.links.namespace import Host
from tests.support.links.shape import Link, Shape, symmetric

__all__ = [
    "CongestionControl",
    "Counters",
    "Host",
    "Joint",
    "Laboratory",
    "LaboratoryError",
    "Link",
    "LinkCounters",
    "Shape",
    "laboratory",
    "obstacle",
    "symmetric",
]
