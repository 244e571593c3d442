"""From looks to a cause: nobody is named who was not seen to be it."""

from itertools import product

import pytest

from mektep_agent.probes.outage.cause import REACHED, Looks, cause_of
from mektep_wire import OutageCause, Seen

A, S, R, N = Seen.ANSWERED, Seen.SILENT, Seen.REFUSED, Seen.ABSENT


@pytest.mark.parametrize(
    ("gateway", "answers", "names", "service", "others", "cause"),
    [
        (N, False, S, S, S, OutageCause.LAN),
        (S, True, S, S, S, OutageCause.LAN),
        (A, True, S, S, S, OutageCause.PROVIDER),
        (R, True, N, S, S, OutageCause.PROVIDER),
        (A, True, S, A, A, OutageCause.DNS),
        (S, False, S, S, A, OutageCause.DNS),
        (A, True, A, S, A, OutageCause.SERVICE),
        (A, True, A, S, R, OutageCause.SERVICE),
        (A, True, N, R, N, OutageCause.SERVICE),
        (A, True, A, S, N, OutageCause.UNKNOWN),
        (S, False, S, S, S, OutageCause.UNKNOWN),
    ],
)  # fmt: skip
def test_the_cause_of_what_is_seen(
    gateway: Seen, answers: bool, names: Seen, service: Seen, others: Seen, cause: OutageCause
) -> None:
    evidence = Looks(gateway=gateway, gateway_answers=answers, names=names, service=service, others=others)
    assert cause_of(evidence) is cause


def test_a_provider_is_blamed_only_where_the_gateway_answers_and_others_are_silent() -> None:
    for gateway, answers, names, service, others in product(Seen, (False, True), Seen, Seen, Seen):
        evidence = Looks(gateway=gateway, gateway_answers=answers, names=names, service=service, others=others)
        if cause_of(evidence) is OutageCause.PROVIDER:
            assert gateway in REACHED
            assert others is S
            assert service not in REACHED
