"""The share of tests at the contract: the provider keeps it when most tests reach the part that counts as kept.

That part is `verdict.CONTRACT_MIN_RATIO` of the contracted speed: a contract names the rate of the line, a test what an
application gets. Giga's guide to indicators holds providers to the same 80 % of the contracted speed.
"""

from fractions import Fraction

from mektep_collector.sla.methods.method import Condition, Finding, Method, all_of
from mektep_collector.sla.methods.norm_share import LEAST_SHARE
from mektep_collector.sla.methods.share import not_applicable, share_part
from mektep_collector.sla.tally import Tally


def contract_share(tests: Tally, least_share: Fraction = LEAST_SHARE) -> Finding:
    """Return whether enough tests of one direction kept the contract of their day."""
    if tests.ok_count and not tests.contract_judged_count:
        return all_of(Method.CONTRACT_SHARE, [not_applicable(Condition.SPEED)])
    part = share_part(Condition.SPEED, tests.contract_kept_count, tests.contract_judged_count, least_share)
    return all_of(Method.CONTRACT_SHARE, [part])
