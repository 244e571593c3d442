"""What a contract may promise of one direction, in the words of Regulation (EU) 2015/2120, article 4(1)(d)."""

import msgspec


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """Speeds in Mbit/s; None where the contract names none.

    `maximum_mbps` can be reached at least some of the time, `normally_mbps` most of it, and below `minimum_mbps` the
    line never falls. A contract of one speed names the maximum.
    """

    maximum_mbps: float | None = None
    normally_mbps: float | None = None
    minimum_mbps: float | None = None
