import pytest

from mektep_collector.api.networks import network_of, site_of


@pytest.mark.parametrize(
    ("host", "network", "site"),
    [
        ("198.51.100.7", "198.51.100.0/24", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.0/24", "198.51.100.7"),
        ("2001:db8:1:2::3", "2001:db8:1::/48", "2001:db8:1:2::/64"),
        ("", "", ""),
        ("testclient", "testclient", "testclient"),
    ],
)
def test_an_address_is_cut_to_what_may_be_known_of_it(host: str, network: str, site: str) -> None:
    assert (network_of(host), site_of(host)) == (network, site)


def test_two_schools_are_not_one_because_a_socket_serves_both_families() -> None:
    assert network_of("::ffff:198.51.100.7") != network_of("::ffff:203.0.113.7")
    assert site_of("::ffff:198.51.100.7") != site_of("::ffff:198.51.100.8")
