"""What port or radio are set to, and how well the radio hears: as the operating system tells, asking nobody else.

On Linux `iw` is asked where it is there, else the kernel's /proc/net/wireless. On Windows `netsh` is asked, whose words
are the system's language: its units tell the lines apart. That path is checked against recorded output and was never
run on Windows.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil

from mektep_wire import Access, Conditions, Vpn

_WIRELESS = Path("/proc/net/wireless")
_TIMEOUT_S = 5.0
_RATE = re.compile(r"\((?:Mbps|Мбит/с)\)\s*:\s*([0-9]+(?:[.,][0-9]+)?)")
_PERCENT = re.compile(r":\s*([0-9]{1,3})%")


class AccessLink(msgspec.Struct, frozen=True, kw_only=True):
    """The first link on the way; what the system does not tell is None."""

    link_speed_mbps: float | None = None
    wifi_signal_dbm: float | None = None


def from_iw(printed: str) -> AccessLink:
    """Return what `iw dev NAME link` says: the signal, and the lower of the rates of both directions."""
    signal = re.search(r"signal:\s*(-[0-9]+)\s*dBm", printed)
    rates = [float(rate) for rate in re.findall(r"[rt]x bitrate:\s*([0-9.]+) MBit/s", printed)]
    return AccessLink(
        link_speed_mbps=min(rates, default=None), wifi_signal_dbm=float(signal.group(1)) if signal else None
    )


def from_proc_wireless(text: str, interface: str) -> AccessLink:
    """Return what /proc/net/wireless says of an interface: the signal where it is in dBm."""
    for line in text.splitlines():
        name, colon, rest = line.strip().partition(":")
        words = rest.split()
        if colon and name == interface and len(words) >= 3:
            level = float(words[2].rstrip("."))
            return AccessLink(wifi_signal_dbm=level if -150.0 <= level < 0.0 else None)
    return AccessLink()


def from_netsh(printed: str) -> AccessLink:
    """Return what `netsh wlan show interfaces` says, in any language; its percents are of -100 to -50 dBm."""
    percent = _PERCENT.search(printed)
    rates = [float(rate.replace(",", ".")) for rate in _RATE.findall(printed)]
    return AccessLink(
        link_speed_mbps=min(rates, default=None),
        wifi_signal_dbm=min(100.0, float(percent.group(1))) / 2 - 100.0 if percent else None,
    )


def access_link(interface: str, conditions: Conditions) -> AccessLink:
    """Return what is known of `interface`, nothing where it is a tunnel: that is set to no speed of its own."""
    if not interface or conditions.vpn is Vpn.PRESENT:
        return AccessLink()
    if conditions.access is Access.WIFI:
        return _radio(interface)
    found = psutil.net_if_stats().get(interface)
    return AccessLink(link_speed_mbps=float(found.speed) if found is not None and found.speed > 0 else None)


def _radio(interface: str) -> AccessLink:
    if sys.platform == "win32":
        return from_netsh(_printed(["netsh", "wlan", "show", "interfaces"]))
    program = shutil.which("iw") or shutil.which("iw", path="/usr/sbin:/sbin")
    told = from_iw(_printed([program, "dev", interface, "link"])) if program else AccessLink()
    if told.wifi_signal_dbm is not None or not _WIRELESS.exists():
        return told
    heard = from_proc_wireless(_WIRELESS.read_text("ascii", "replace"), interface)
    return msgspec.structs.replace(told, wifi_signal_dbm=heard.wifi_signal_dbm)


def _printed(words: list[str]) -> str:
    """Return what a program prints, nothing where it does not run or does not end."""
    try:
        done = subprocess.run(words, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    # netsh speaks the code page of the console, which Python calls oem.
    return done.stdout.decode("oem" if sys.platform == "win32" else "utf-8", "replace")
