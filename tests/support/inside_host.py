"""Opening sockets of this process in a laboratory's host: a socket stays where it was opened."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.links import Host

_CLONE_NEWNET = 0x40000000


@contextmanager
def inside(host: Host) -> Iterator[None]:
    """Have this thread in the host's network for the block (setns(2)); raises OSError."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(host.path)
        try:
            yield
        finally:
            _set(own)
    finally:
        os.close(own)


def _enter(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _set(descriptor)
    finally:
        os.close(descriptor)


def _set(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
