"""The share of tests at the norm: a school's line meets the norm when most of its tests do.

The norm is a speed (`sla/norm.py`) and says nothing of how often; `LEAST_SHARE` is the share that the FCC asks of
speed measurements (order DA 18-710), and an operator may ask for another.
"""

from fractions import Fraction

from mektep_collector.sla.methods.method import Condition, Finding, Method, all_of
from mektep_collector.sla.methods.share import not_applicable, share_part
from mektep_collector.sla.tally import Tally

LEAST_SHARE = Fraction(8, 10)
"""Of the good tests so many must reach the norm."""


def norm_share(downloads: Tally, least_share: Fraction = LEAST_SHARE) -> Finding:
    """Return whether enough downloads reached the norm of their day."""
    if downloads.ok_count and not downloads.norm_judged_count:
        return all_of(Method.NORM_SHARE, [not_applicable(Condition.SPEED)])
    part = share_part(Condition.SPEED, downloads.norm_met_count, downloads.norm_judged_count, least_share)
    return all_of(Method.NORM_SHARE, [part])
