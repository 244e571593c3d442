"""The default gateway is read from the system's routing table, as recorded."""

from mektep_agent.link.gateway import Gateway, from_linux_routes, from_windows_routes

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
WIRED = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
WIFI = "wlan0\t00000000\t0100000A\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
LOCAL = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
IPV6 = (
    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
    "fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0\n"
)
WINDOWS_IN_RUSSIAN = """
IPv4 таблица маршрута
===========================================================================
Активные маршруты:
Сетевой адрес           Маска сети      Адрес шлюза       Интерфейс  Метрика
          0.0.0.0          0.0.0.0     192.168.1.1    192.168.1.23     35
          0.0.0.0          0.0.0.0     10.0.0.1        10.0.0.7         25
        127.0.0.0        255.0.0.0         On-link         127.0.0.1    331
"""


def test_the_route_with_the_least_metric_wins() -> None:
    assert from_linux_routes(HEAD + WIFI + WIRED + LOCAL, "") == Gateway("192.168.1.1", "eth0")


def test_a_network_of_ipv6_alone_has_a_gateway_too() -> None:
    assert from_linux_routes(HEAD, IPV6) == Gateway("fe80::1%eth0", "eth0")


def test_no_default_route_is_no_gateway() -> None:
    assert from_linux_routes(HEAD + LOCAL, "") is None
    assert from_windows_routes("") is None


def test_windows_in_another_language_is_understood() -> None:
    assert from_windows_routes(WINDOWS_IN_RUSSIAN) == Gateway("10.0.0.1", "")
