"""Keeps memory from costing processor time: what lives for milliseconds is neither walked over nor given back.

A batch of 500 readings is some thousands of objects that live for milliseconds. Python's collector then soon looks at
every object of the process, modules and routes and all, again and again: a third of the processor time of acceptance.
And glibc returns their pages to the kernel, only to ask for them again with the next batch: an eighth.
"""

import ctypes
import gc
import platform

_YOUNG_COUNT = 100_000
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_KEPT_BYTES = 1 << 26
_LARGE_BYTES = 1 << 24


def settle_memory() -> None:
    """Leave all that exists now out of later collections, collect less often, and keep freed pages for the next batch.

    Call once, when all is set up. At most 64 MiB that were needed once are kept; where the C library is not glibc, its
    ways stay as they are.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_COUNT, 20, 50)
    if platform.libc_ver()[0] == "glibc":
        set_option = ctypes.CDLL(None).mallopt  # mallopt(3)
        set_option(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        set_option(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        set_option(_M_TOP_PAD, _LARGE_BYTES)
