"""A network's name: the same for the same one, another for another, and nothing in it that names anything."""

from mektep_agent.link.gateway import Gateway
from mektep_agent.link.network import UNKNOWN_NETWORK, network_of

HEAD = "IP address       HW type     Flags       HW address            Mask     Device\n"
SCHOOL = HEAD + "192.168.0.1      0x1         0x2         02:00:5e:10:00:01     *        eth0\n"
HOME = HEAD + "192.168.0.1      0x1         0x2         02:00:5e:99:00:07     *        eth0\n"
GATEWAY = Gateway("192.168.0.1", "eth0")


def test_the_same_network_has_the_same_name() -> None:
    others = SCHOOL + "192.168.0.9      0x1         0x2         02:00:5e:10:00:09     *        eth0\n"
    assert network_of(GATEWAY, SCHOOL) == network_of(GATEWAY, others)


def test_another_router_at_the_same_address_is_another_network() -> None:
    names = {
        network_of(GATEWAY, SCHOOL),
        network_of(GATEWAY, HOME),
        network_of(GATEWAY, ""),
        network_of(Gateway("192.168.0.1", "wlan0"), SCHOOL),
        network_of(Gateway("192.168.1.1", "eth0"), SCHOOL),
        network_of(None, SCHOOL),
    }
    assert len(names) == 6


def test_a_name_shows_neither_address() -> None:
    name = network_of(GATEWAY, SCHOOL)
    assert len(name) == 12
    assert int(name, 16) >= 0
    assert network_of(None, "") == UNKNOWN_NETWORK
