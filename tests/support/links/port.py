"""What a host's port says it is set to: a TUN device says 10 Mbit/s unless it is told otherwise."""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path
from threading import Thread

from tests.support.links.error import LaboratoryError

FAST_MBPS = 10_000
_CLONE_NEWNET = 0x40000000
_SIOCETHTOOL = 0x8946
_GET, _SET = 1, 2
_COMMAND = struct.Struct("=IIIHBBBBBBIIHBBI8x")
_LIBC = ctypes.CDLL(None, use_errno=True)


def set_port_speed(namespace: Path, device: str, speed_mbps: int) -> None:
    """Let `device` of a namespace say that it is set to `speed_mbps`; raises LaboratoryError."""
    trouble: list[OSError] = []
    # A thread of its own: what it enters, it never leaves.
    thread = Thread(target=_set, args=(namespace, device, speed_mbps, trouble))
    thread.start()
    thread.join()
    if trouble:
        raise LaboratoryError(f"{device} cannot be set to {speed_mbps} Mbit/s: {trouble[0]}")


def _set(namespace: Path, device: str, speed_mbps: int, trouble: list[OSError]) -> None:
    try:
        entered = os.open(namespace, os.O_RDONLY)
        try:
            if _LIBC.setns(entered, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(entered)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            settings = bytearray(_COMMAND.size)
            struct.pack_into("=I", settings, 0, _GET)
            _ethtool(link, device, settings)
            fields = list(_COMMAND.unpack(settings))
            fields[0], fields[3], fields[12] = _SET, speed_mbps & 0xFFFF, speed_mbps >> 16
            _ethtool(link, device, bytearray(_COMMAND.pack(*fields)))
    except OSError as error:
        trouble.append(error)


def _ethtool(link: socket.socket, device: str, settings: bytearray) -> None:
    held = (ctypes.c_char * len(settings)).from_buffer(settings)
    fcntl.ioctl(link, _SIOCETHTOOL, struct.pack("=16sQ16x", device.encode(), ctypes.addressof(held)))
