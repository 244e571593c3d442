import socket

import pytest

from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.resolve import Address, lookup_failure, plausible
from mektep_wire import FailureKind


def addresses(*hosts: str) -> tuple[Address, ...]:
    return tuple(Address(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, 80)) for host in hosts)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "224.0.0.1", "169.254.1.1", "255.255.255.255"])  # noqa: S104
def test_a_public_name_that_leads_nowhere_else_is_a_lie(host: str) -> None:
    with pytest.raises(EngineError, match=host) as caught:
        plausible("ndt.example", addresses(host))
    assert caught.value.kind is FailureKind.DNS_BOGUS


def test_a_lie_beside_the_truth_is_left_out() -> None:
    assert plausible("ndt.example", addresses("127.0.0.1", "192.0.2.1")) == addresses("192.0.2.1")


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("localhost", "127.0.0.1"),
        ("ndt.localhost", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("schoolserver", "127.0.1.1"),
        ("ndt.example", "10.0.0.1"),
        ("ndt.example", "2001:db8::1"),
    ],
)
def test_what_can_be_true_is_believed(name: str, host: str) -> None:
    assert plausible(name, addresses(host)) == addresses(host)


def test_no_address_is_an_error_of_the_resolver() -> None:
    with pytest.raises(EngineError) as caught:
        plausible("ndt.example", ())
    assert caught.value.kind is FailureKind.DNS_ERROR


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), FailureKind.DNS_NXDOMAIN),
        (socket.gaierror(socket.EAI_AGAIN, "later"), FailureKind.DNS_TIMEOUT),
        (socket.gaierror(socket.EAI_FAIL, "no"), FailureKind.DNS_ERROR),
        (OSError(5, "I/O"), FailureKind.DNS_ERROR),
    ],
)
def test_a_failed_resolution_has_its_kind(error: OSError, kind: FailureKind) -> None:
    assert lookup_failure("ndt.example", error).kind is kind
