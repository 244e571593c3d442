"""What of the fleet one page of the list shows: found, filtered, sorted, cut; all of it said in the address."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlencode

import msgspec

from mektep_collector.reports.build.fleet import FleetRow, FleetSummary, summarise
from mektep_collector.sla.freshness import Freshness
from mektep_collector.sla.verdict import Verdict
from mektep_dashboards.i18n.collation import searching_form, sorting_key

PAGE_ROWS = 50
_MAX_SEARCH = 100


class State(StrEnum):
    """Filters of the list by how a school stands."""

    MEETS = "meets"
    BELOW_NORM = "below_norm"
    BELOW_CONTRACT = "below_contract"
    UNJUDGED = "unjudged"
    """No data, too few tests, or failures only."""
    SILENT = "silent"
    """Silent, or nothing yet."""


class Sort(StrEnum):
    """Columns that the list can be sorted by."""

    NAME = "name"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    NORM = "norm"
    AVAILABILITY = "availability"
    LAST = "last"


class Order(StrEnum):
    """Which end of a column comes first."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader asked for; `read` forgives what it does not understand, since addresses are typed and shared."""

    search: str = ""
    region: str = ""
    state: State | None = None
    sort: Sort = Sort.NAME
    order: Order = Order.ASCENDING
    page: int = 1

    def sorted_address(self, sort: str, order: str) -> str:
        """Return the address of the same list, sorted by another column, from its first page on."""
        return _address(msgspec.structs.replace(self, sort=Sort(sort), order=Order(order), page=1))

    def state_address(self, state: str) -> str:
        """Return the address of the list filtered by a state, or by none for an empty text, from its first page on."""
        return _address(msgspec.structs.replace(self, state=State(state) if state else None, page=1))

    def page_address(self, page: int) -> str:
        """Return the address of another page of the list."""
        return _address(msgspec.structs.replace(self, page=page))


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the list. The summary is of the rows in the region and search, before the filter by state."""

    choice: Choice
    rows: Sequence[FleetRow]
    summary: FleetSummary
    regions: Mapping[str, int]
    found_count: int
    pages_count: int


def _address(choice: Choice) -> str:
    query = {
        "q": choice.search,
        "region": choice.region,
        "state": choice.state.value if choice.state is not None else "",
        "sort": choice.sort.value if choice.sort is not Sort.NAME else "",
        "order": choice.order.value if choice.order is not Order.ASCENDING else "",
        "page": str(choice.page) if choice.page > 1 else "",
    }
    written = urlencode({key: value for key, value in query.items() if value})
    return f"/?{written}" if written else "/"


def read(query: Mapping[str, str]) -> Choice:
    """Return what an address asks for."""
    state, sort, order = query.get("state", ""), query.get("sort", ""), query.get("order", "")
    page = query.get("page", "")
    return Choice(
        search=query.get("q", "").strip()[:_MAX_SEARCH],
        region=query.get("region", "")[:10],
        state=State(state) if state in set(State) else None,
        sort=Sort(sort) if sort in set(Sort) else Sort.NAME,
        order=Order(order) if order in set(Order) else Order.ASCENDING,
        page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 7 else 1,
    )


class Shelf:
    """Rows in the order of their names, with what finding them needs: made once for a document, and then only read."""

    def __init__(self, rows: Iterable[FleetRow]) -> None:
        self.rows = sorted(rows, key=lambda row: sorting_key(row.name))
        self.texts = [
            searching_form(f"{row.name} {row.district} {row.provider or ''} {row.school_id}") for row in self.rows
        ]
        self.regions = dict(Counter(row.region for row in self.rows))


def listing(shelf: Shelf, choice: Choice) -> Listing:
    """Return the page of the list that `choice` asks for; a page beyond the last is the last."""
    words = searching_form(choice.search).split()
    scope = [
        row
        for row, text in zip(shelf.rows, shelf.texts, strict=True)
        if choice.region in {"", row.region} and all(word in text for word in words)
    ]
    kept = [row for row in scope if choice.state is None or _STATES[choice.state](row)]
    pages_count = max(-(-len(kept) // PAGE_ROWS), 1)
    page = min(max(choice.page, 1), pages_count)
    begin = (page - 1) * PAGE_ROWS
    return Listing(
        choice=msgspec.structs.replace(choice, page=page),
        rows=_sorted(kept, choice)[begin : begin + PAGE_ROWS],
        summary=summarise(scope),
        regions=shelf.regions,
        found_count=len(kept),
        pages_count=pages_count,
    )


def _sorted(by_name: Sequence[FleetRow], choice: Choice) -> Sequence[FleetRow]:
    descending = choice.order is Order.DESCENDING
    if choice.sort is Sort.NAME:
        return by_name[::-1] if descending else by_name
    value = _VALUES[choice.sort]
    # a school without the value stands last, whichever end comes first
    known = [(found, row) for row in by_name if (found := value(row)) is not None]
    unknown = [row for row in by_name if value(row) is None]
    known.sort(key=lambda one: one[0], reverse=descending)
    return [*(row for _, row in known), *unknown]


_STATES: Mapping[State, Callable[[FleetRow], bool]] = MappingProxyType(
    {
        State.MEETS: lambda row: row.download.verdict in {Verdict.MEETS, Verdict.BELOW_CONTRACT},
        State.BELOW_NORM: lambda row: row.download.verdict in {Verdict.BELOW_NORM, Verdict.BELOW_BOTH},
        State.BELOW_CONTRACT: lambda row: row.download.verdict in {Verdict.BELOW_CONTRACT, Verdict.BELOW_BOTH},
        State.UNJUDGED: lambda row: (
            row.download.verdict in {Verdict.INSUFFICIENT_DATA, Verdict.ALL_FAILED, Verdict.NO_DATA}
        ),
        State.SILENT: lambda row: row.freshness is not Freshness.LIVE,
    }
)

_VALUES: Mapping[Sort, Callable[[FleetRow], float | None]] = MappingProxyType(
    {
        Sort.DOWNLOAD: lambda row: row.download.median_mbps,
        Sort.UPLOAD: lambda row: row.upload.median_mbps,
        Sort.NORM: lambda row: row.norm.mbps,
        Sort.AVAILABILITY: lambda row: row.availability.ratio,
        Sort.LAST: lambda row: row.last_reading_at.timestamp() if row.last_reading_at is not None else None,
    }
)
