"""What a process tells of its own memory, where its parent cannot see it from outside."""

import ctypes
import gc
import os
import sys
from pathlib import Path

import apsw
import msgspec
import psutil


class MemoryTold(msgspec.Struct, frozen=True, kw_only=True):
    """Resident bytes as they were, blocks that Python holds once what is unreachable was collected, and bytes then.

    `sqlite_bytes` are those that SQLite holds, its caches above all.
    `rss_trimmed_bytes` is what stays when the C library gives back what it only keeps for later, where that was asked.
    """

    rss_bytes: int
    blocks_count: int
    rss_collected_bytes: int
    sqlite_bytes: int
    rss_trimmed_bytes: int | None


def tell_memory(path: Path, *, trim: bool) -> None:
    """Collect, trim where asked (glibc's malloc_trim), and write what was seen into the new file `path`."""
    process = psutil.Process(os.getpid())
    before = process.memory_info().rss
    gc.collect()
    blocks, collected = sys.getallocatedblocks(), process.memory_info().rss
    trimmed = None
    if trim:
        ctypes.CDLL(None).malloc_trim(0)
        trimmed = process.memory_info().rss
    told = MemoryTold(
        rss_bytes=before,
        blocks_count=blocks,
        rss_collected_bytes=collected,
        sqlite_bytes=apsw.memory_used(),
        rss_trimmed_bytes=trimmed,
    )
    unfinished = path.with_suffix(".new")
    unfinished.write_bytes(msgspec.json.encode(told))
    unfinished.rename(path)
