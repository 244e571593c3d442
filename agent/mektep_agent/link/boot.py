"""Which boot of the operating system this is: readings of one boot share a monotonic clock."""

import uuid
from pathlib import Path

import psutil

_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = uuid.UUID("7e0f3f0c-7f0e-5a52-9a8a-6d656b746570")


def boot_id() -> str:
    """Return an id that changes with each boot: the kernel's own, else one made from the time of the boot."""
    if _LINUX_BOOT_ID.exists():
        return _LINUX_BOOT_ID.read_text("ascii").strip()
    # The time of boot drifts with corrections of the clock; a minute's grain keeps the id steady through small ones.
    return str(uuid.uuid5(_NAMESPACE, str(round(psutil.boot_time() / 60))))
