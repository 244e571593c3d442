"""This computer's own default gateway, from the operating system's routing table.

Linux is read from /proc. On Windows the table is read with `route print`; that path is checked against recorded output
and was never run on Windows.
"""

import re
import socket
import struct
import subprocess
import sys
from pathlib import Path

import msgspec


class Gateway(msgspec.Struct, frozen=True):
    """Address of the default gateway, and the interface that leads to it ("" where the system does not say)."""

    address: str
    interface: str


def from_linux_routes(ipv4: str, ipv6: str) -> Gateway | None:
    """Return the default gateway from the texts of /proc/net/route and /proc/net/ipv6_route; least metric first."""
    found: list[tuple[int, Gateway]] = []
    for line in ipv4.splitlines()[1:]:
        words = line.split()
        if len(words) >= 8 and words[1] == "00000000" and words[7] == "00000000" and words[2] != "00000000":
            address = socket.inet_ntop(socket.AF_INET, struct.pack("<I", int(words[2], 16)))
            found.append((int(words[6]), Gateway(address, words[0])))
    if not found:
        for line in ipv6.splitlines():
            words = line.split()
            if len(words) >= 10 and words[0] == "0" * 32 and words[1] == "00" and words[4] != "0" * 32:
                address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[4]))
                scoped = f"{address}%{words[9]}" if address.startswith("fe80") else address
                found.append((int(words[5], 16), Gateway(scoped, words[9])))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def from_windows_routes(printed: str) -> Gateway | None:
    """Return the default gateway from what `route print -4` prints, in any language: least metric first."""
    rows = re.findall(r"^\s*0\.0\.0\.0\s+0\.0\.0\.0\s+([0-9.]+)\s+([0-9.]+)\s+(\d+)", printed, re.MULTILINE)
    ordered = sorted(rows, key=lambda row: int(row[2]))
    return Gateway(ordered[0][0], "") if ordered else None


def default_gateway() -> Gateway | None:
    """Return this computer's default gateway, None where there is no default route."""
    if sys.platform == "win32":
        done = subprocess.run(["route", "print", "-4"], capture_output=True, timeout=10, check=False)  # noqa: S607
        return from_windows_routes(done.stdout.decode("ascii", "replace"))
    tables = [Path("/proc/net/route"), Path("/proc/net/ipv6_route")]
    texts = [table.read_text("ascii") if table.exists() else "" for table in tables]
    return from_linux_routes(texts[0], texts[1])
