"""The EU's normally available speed: Regulation (EU) 2015/2120, article 4(1)(d) and 4(4).

BEREC's guidelines (BoR (20) 112) leave the share to the national regulator and give 90 % as the example; Germany's
takes 90 % of the measurements (Vfg. 99/2021). Non-conformity is a discrepancy that is continuous or recurs.
"""

from collections.abc import Sequence
from fractions import Fraction

from mektep_collector.sla.methods.method import Condition, Finding, Method, all_of
from mektep_collector.sla.methods.promise import Promise
from mektep_collector.sla.methods.share import not_applicable, share_part

LEAST_SHARE = Fraction(90, 100)


def eu_normally_available(speeds_mbps: Sequence[float], promise: Promise) -> Finding:
    """Return whether 90 % of the good tests of one direction, in any order, reached the normally available speed."""
    normally_mbps = promise.normally_mbps
    if normally_mbps is None:
        return all_of(Method.EU_NORMALLY_AVAILABLE, [not_applicable(Condition.NORMALLY_AVAILABLE)])
    good_count = sum(speed >= normally_mbps for speed in speeds_mbps)
    part = share_part(Condition.NORMALLY_AVAILABLE, good_count, len(speeds_mbps), LEAST_SHARE)
    return all_of(Method.EU_NORMALLY_AVAILABLE, [part])
