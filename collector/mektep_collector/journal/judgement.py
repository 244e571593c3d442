"""What an entry says of each accepted reading: its place in the batch, its frozen time, how that was found.

Packed as little-endian 64-bit times, 16-bit places, 8-bit methods, one array after the other: eleven bytes a reading.
"""

import struct
from collections.abc import Sequence

from mektep_collector.journal.entry import TimeMethod

_METHODS = (TimeMethod.SAME_BOOT, TimeMethod.CLOCK_OFFSET, TimeMethod.QUARANTINED)
_NUMBERS = {method: number for number, method in enumerate(_METHODS)}
_ITEM_BYTES = 11


def pack(indexes: Sequence[int], times_us: Sequence[int], methods: Sequence[TimeMethod]) -> bytes:
    """Return the packed form of three sequences of one length."""
    count = len(indexes)
    return struct.pack(f"<{count}q{count}H{count}B", *times_us, *indexes, *map(_NUMBERS.__getitem__, methods))


def unpack(packed: bytes) -> list[tuple[int, int, TimeMethod]]:
    """Return (index, microseconds since 1970, method) of each reading, in the order they were packed."""
    count = len(packed) // _ITEM_BYTES
    numbers = struct.unpack(f"<{count}q{count}H{count}B", packed)
    return [
        (index, at_us, _METHODS[number])
        for at_us, index, number in zip(numbers[:count], numbers[count : 2 * count], numbers[2 * count :], strict=True)
    ]
