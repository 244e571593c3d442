"""The list: found, filtered, sorted and cut as the address says; a strange address is forgiven."""

from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.reports.build.fleet import build_fleet
from mektep_dashboards.pages.listing import PAGE_ROWS, Choice, Order, Shelf, Sort, State, listing, read
from tests.support import invented_schools as invented
from tests.support.memory_store import MemoryStore

STORE = MemoryStore(lambda school_id: ZoneInfo("Asia/Almaty"))
STORE.put(invented.entries())
ROWS = build_fleet(invented.SCHOOLS, invented.DEVICES, STORE, invented.NOW).rows
SHELF = Shelf(ROWS)


def _ids(choice: Choice) -> list[str]:
    return [row.school_id for row in listing(SHELF, choice).rows]


def test_a_region_holds_its_schools_and_the_summary_is_of_them() -> None:
    found = listing(SHELF, Choice(region="KZ-61"))
    assert {row.school_id for row in found.rows} == {invented.MET.id, invented.HOSTILE.id}
    assert found.summary.schools_count == 2
    assert found.regions["KZ-61"] == 2
    assert len(found.regions) == 7


def test_a_school_is_found_by_name_provider_and_number_as_a_russian_keyboard_types_them() -> None:
    assert _ids(Choice(search="гылым улги")) == [invented.SILENT.id]
    assert _ids(Choice(search="спутник")) == [invented.BELOW.id]
    assert _ids(Choice(search="000000040004")) == [invented.FAILING.id]
    assert _ids(Choice(search="no such school")) == []


def test_states_filter_the_rows_and_not_the_summary() -> None:
    assert set(_ids(Choice(state=State.BELOW_NORM))) == {invented.BELOW.id, invented.SHORT.id}
    assert set(_ids(Choice(state=State.UNJUDGED))) == {invented.FAILING.id, invented.NEW.id, invented.HOSTILE.id}
    assert set(_ids(Choice(state=State.SILENT))) == {invented.SILENT.id, invented.NEW.id}
    assert listing(SHELF, Choice(state=State.SILENT)).summary.schools_count == len(ROWS)
    met, below = (listing(SHELF, Choice(state=state)).found_count for state in (State.MEETS, State.BELOW_NORM))
    assert met + below + listing(SHELF, Choice(state=State.UNJUDGED)).found_count == len(ROWS)


def test_schools_without_a_value_come_last_whichever_end_is_first() -> None:
    for order in Order:
        ids = _ids(Choice(sort=Sort.DOWNLOAD, order=order))
        assert set(ids[-2:]) == {invented.FAILING.id, invented.NEW.id}
    assert _ids(Choice(sort=Sort.DOWNLOAD))[0] == invented.BELOW.id
    assert _ids(Choice(sort=Sort.DOWNLOAD, order=Order.DESCENDING))[0] == invented.HOSTILE.id


def test_long_lists_are_cut_into_pages_and_a_page_beyond_the_last_is_the_last() -> None:
    many = [msgspec.structs.replace(ROWS[0], school_id=str(number)) for number in range(2 * PAGE_ROWS + 3)]
    first, last = listing(Shelf(many), Choice()), listing(Shelf(many), Choice(page=999))
    assert (len(first.rows), len(last.rows), last.choice.page) == (PAGE_ROWS, 3, 3)
    assert listing(Shelf([]), Choice()).pages_count == 1


@given(st.dictionaries(st.sampled_from(["q", "region", "state", "sort", "order", "page"]), st.text(max_size=200)))
def test_no_address_is_an_error(query: dict[str, str]) -> None:
    choice = read(query)
    assert listing(SHELF, choice).choice.page >= 1


choices = st.builds(
    Choice,
    search=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), max_size=20),
    region=st.sampled_from(["", "KZ-61"]),
    state=st.none() | st.sampled_from(State),
    sort=st.sampled_from(Sort),
    order=st.sampled_from(Order),
    page=st.integers(1, 99),
)


@given(choices)
def test_an_address_says_the_whole_choice(choice: Choice) -> None:
    assert read(dict(parse_qsl(urlsplit(choice.page_address(choice.page)).query))) == choice
