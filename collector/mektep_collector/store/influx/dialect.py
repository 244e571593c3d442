"""What the lines of InfluxDB do differently, in one place: pure.

1.6 knows neither tokens nor `/api/v2/write`; 1.8 and later 1.x know both; 2.x has buckets, which InfluxQL reads as
`database/retention policy`; 3.x answers InfluxQL by GET. Sources: the documentation of each, and, for 1.6.7 and
1.8.10, the programs themselves.
"""

import re
from enum import StrEnum

import msgspec

_VERSION = re.compile(r"^v?(\d+)\.(\d+)")
_FROM_SOURCE = "unknown"
_POISON = (
    "field type conflict",
    "beyond retention policy",
    "unable to parse",
    "invalid number",
    "max key length exceeded",
    "is too long",
    "outside the time range",
    "time outside range",
)
"""What servers say of a point that they will never take, whenever it comes."""


class WriteWay(StrEnum):
    """Which path takes points."""

    V1 = "/write"
    V2 = "/api/v2/write"


class Dialect(msgspec.Struct, frozen=True):
    """How one server is spoken to."""

    version: str
    write_way: WriteWay
    makes_databases: bool
    query_method: str


class UnknownDialectError(ValueError):
    """What answers is no InfluxDB, or one of a line that is not known; the message says what it said."""


def dialect_of(version: str | None, *, has_health: bool) -> Dialect:
    """Return how to speak to a server that names `version` in `X-Influxdb-Version`. Raises UnknownDialectError.

    A program of 1.x that was built from source calls itself `unknown`; of those, only 1.8 and later have `/health`.
    """
    if version == _FROM_SOURCE:
        version = "1.8, built from source" if has_health else "1.6, built from source"
    found = _VERSION.match(version or "")
    if version is None or found is None:
        raise UnknownDialectError(f"it names its version as {version!r}, which is none of InfluxDB's")
    major, minor = int(found[1]), int(found[2])
    if major == 1:
        has_v2 = minor >= 8
        return Dialect(version, WriteWay.V2 if has_v2 else WriteWay.V1, makes_databases=True, query_method="POST")
    if major == 2:
        return Dialect(version, WriteWay.V2, makes_databases=False, query_method="POST")
    if major == 3:
        return Dialect(version, WriteWay.V2, makes_databases=False, query_method="GET")
    raise UnknownDialectError(f"it is InfluxDB {version}; 1.x, 2.x and 3.x are known")


def is_poison(message: str) -> bool:
    """Tell whether a refusal is of the point itself, so that sending it again is vain.

    Anything else, such as a limit on series that is reached, is the operator's to mend: then all points wait.
    """
    return any(each in message for each in _POISON)
