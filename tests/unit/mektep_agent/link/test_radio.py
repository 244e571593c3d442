"""What programs print of port and radio, in the forms in which it was seen."""

from collections.abc import Callable

import pytest

from mektep_agent.link.radio import AccessLink, access_link, from_iw, from_netsh, from_proc_wireless
from mektep_wire import Conditions, Vpn

IW = """Connected to 00:11:22:33:44:55 (on wlan0)
\tSSID: school
\tfreq: 5180
\tsignal: -67 dBm
\trx bitrate: 292.5 MBit/s VHT-MCS 7 80MHz VHT-NSS 1
\ttx bitrate: 175.5 MBit/s VHT-MCS 4 80MHz VHT-NSS 1
"""
WIRELESS = """Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   58.  -52.  -256        0      0      0      0     12        0
"""
NETSH_ENGLISH = """    Name                   : Wi-Fi
    State                  : connected
    Receive rate (Mbps)    : 144.4
    Transmit rate (Mbps)   : 72.2
    Signal                 : 84%
"""
NETSH_RUSSIAN = """    Имя                    : Беспроводная сеть
    Скорость приема (Мбит/с)   : 300
    Скорость передачи (Мбит/с) : 270
    Сигнал                 : 40%
"""


def test_iw_tells_signal_and_the_lower_rate() -> None:
    assert from_iw(IW) == AccessLink(link_speed_mbps=175.5, wifi_signal_dbm=-67.0)


def test_the_kernel_tells_the_signal() -> None:
    assert from_proc_wireless(WIRELESS, "wlan0") == AccessLink(wifi_signal_dbm=-52.0)
    assert from_proc_wireless(WIRELESS, "wlan1") == AccessLink()


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (NETSH_ENGLISH, AccessLink(link_speed_mbps=72.2, wifi_signal_dbm=-58.0)),
        (NETSH_RUSSIAN, AccessLink(link_speed_mbps=270.0, wifi_signal_dbm=-80.0)),
    ],
)
def test_netsh_is_read_by_its_units(printed: str, expected: AccessLink) -> None:
    assert from_netsh(printed) == expected


@pytest.mark.parametrize("read", [from_iw, from_netsh])
def test_what_says_nothing_is_nothing(read: Callable[[str], AccessLink]) -> None:
    assert read("Not connected.\n") == AccessLink()


def test_a_tunnel_is_set_to_no_speed() -> None:
    assert access_link("tun0", Conditions(vpn=Vpn.PRESENT)) == AccessLink()
