"""The FCC's 80/80 with its latency: order DA 18-710 and 47 CFR 54.313(a)(6).

At least 80 % of speed measurements are at 80 % of the required speed or above, down and up each for itself, and at
least 95 % of the measurements of latency are at 100 ms or below. The required speed is the contract's. The FCC takes
one week a quarter at set hours; here it is what the school's own hours gave in the period.
"""

from fractions import Fraction

from mektep_collector.sla.methods.method import Condition, Finding, Method, Part, all_of
from mektep_collector.sla.methods.share import not_applicable, share_part
from mektep_collector.sla.tally import Tally

SPEED_SHARE = Fraction(80, 100)
LATENCY_SHARE = Fraction(95, 100)
LATENCY_MAX_MS = 100.0


def fcc_80_80(downloads: Tally, uploads: Tally, low_latency_count: int, latency_count: int) -> Finding:
    """Return whether both directions and the latency hold; `low_latency_count` looks took at most LATENCY_MAX_MS."""
    parts = [_speed(downloads), _speed(uploads)]
    parts.append(share_part(Condition.LATENCY, low_latency_count, latency_count, LATENCY_SHARE))
    return all_of(Method.FCC_80_80, parts)


def _speed(tests: Tally) -> Part:
    if tests.ok_count and not tests.contract_judged_count:
        return not_applicable(Condition.SPEED)
    return share_part(Condition.SPEED, tests.contract_kept_count, tests.contract_judged_count, SPEED_SHARE)
