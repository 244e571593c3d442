"""What passes between the daemon and the process that fetches a page: one JSON each way."""

import msgspec

from mektep_agent.engines.assigned import Reach
from mektep_agent.sample import PageSample
from mektep_wire import FailureKind


class PageOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Which page to fetch."""

    target: str
    expected_text: str | None
    reach: Reach


class PageFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no sample: an `EngineError`."""

    kind: FailureKind
    detail: str
    bytes_sent: int
    bytes_received: int


class PageOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: exactly one of the two."""

    sample: PageSample | None = None
    fault: PageFault | None = None
