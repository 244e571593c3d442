"""What stands around a measurement and may explain it: access, power, tunnel. No name, no address, no Wi-Fi id."""

from pathlib import Path

import psutil

from mektep_agent.link.gateway import default_gateway
from mektep_wire import Access, Conditions, Power, Vpn

_TUNNEL_PREFIXES = ("tun", "tap", "wg", "ppp", "utun", "zt", "tailscale")
_WIFI_WORDS = ("wlan", "wlp", "wlx", "wi-fi", "wifi", "wireless", "беспроводн")
_MOBILE_PREFIXES = ("wwan", "wwp", "rmnet", "usb")


def access_of(interface: str, *, has_wireless: bool) -> Access:
    """Return how an interface reaches the school's network, from its name and what the system says of it."""
    lowered = interface.lower()
    if has_wireless or lowered.startswith(_WIFI_WORDS):
        return Access.WIFI
    if lowered.startswith(_MOBILE_PREFIXES):
        return Access.MOBILE
    if lowered.startswith(("eth", "en", "ethernet", "link")):
        return Access.WIRED
    return Access.UNKNOWN


def conditions() -> Conditions:
    """Return what can be known now; reads the system, sends nothing."""
    gateway = default_gateway()
    interface = gateway.interface if gateway is not None else ""
    has_wireless = bool(interface) and Path(f"/sys/class/net/{interface}/wireless").exists()
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    power = Power.UNKNOWN
    if battery is not None:
        power = Power.MAINS if battery.power_plugged else Power.BATTERY
    vpn = Vpn.UNKNOWN
    if interface:
        vpn = Vpn.PRESENT if interface.lower().startswith(_TUNNEL_PREFIXES) else Vpn.ABSENT
    return Conditions(access=access_of(interface, has_wireless=has_wireless), power=power, vpn=vpn)
