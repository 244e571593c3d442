"""`mektep-collector simulate` against a real `serve`: all of it comes in, once, and nobody takes it for measured."""

import re
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mektep_collector.simulate.day import LOCAL, Computer
from mektep_collector.simulate.fleet import SimulatedSchool, fleet
from tests.support.running_collector import RunningCollector, answer, await_that, command, running_collector

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "schools.csv"
SCHOOLS, DAYS, SEED = 8, 9, 138
"""One of these schools has its computer swapped; none falls silent."""
NAME = re.compile(r"Simulated school \d+")
MARKS = {"kk": "Үлгіленген деректер", "ru": "Смоделированные данные", "en": "Simulated data"}


class Simulated:
    """A collector that serves what a simulation has delivered, and what that said."""

    def __init__(self, collector: RunningCollector, said: dict[str, Any], began: datetime) -> None:
        self.collector = collector
        self.said = said
        self.first = (began + LOCAL).date() - timedelta(days=DAYS)

    def expected_count(self) -> int:
        """Return how many readings the seed makes of these days."""
        return sum(self._count(one) for one in fleet(SCHOOLS, SEED))

    def _count(self, one: SimulatedSchool) -> int:
        end = DAYS if one.silent_from is None else min(DAYS, one.silent_from)
        swap = one.swapped_on if one.swapped_on is not None and one.swapped_on < end else end
        spells = (Computer(one, 0), range(swap)), (Computer(one, 1), range(swap, end))
        return sum(len(list(each.readings(self.first + timedelta(days=day)))) for each, days in spells for day in days)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Generator[Simulated, None, None]:
    data_dir = tmp_path_factory.mktemp("data")
    with running_collector(data_dir, "--no-measure") as collector:
        began = datetime.now(UTC)
        said = answer(*_arguments(), "--url", collector.url, data_dir=data_dir)
        await_that(lambda: collector.metric("mektep_store_readings") >= said["stored_count"], "the store takes all in")
        yield Simulated(collector, said, began)


def _arguments(schools: int = SCHOOLS) -> tuple[str, ...]:
    return ("simulate", "--schools", str(schools), "--days", str(DAYS), "--seed", str(SEED), "--connections", "4")


def test_every_reading_that_the_seed_makes_is_in_once(simulated: Simulated) -> None:
    said, collector = simulated.said, simulated.collector
    assert said["stored_count"] == simulated.expected_count() > SCHOOLS * 5 * 30
    assert (said["duplicate_count"], said["rejected_count"]) == (0, 0)
    assert collector.metric("mektep_journal_stored_readings") == said["stored_count"]
    assert collector.metric("mektep_store_readings") == said["stored_count"]


def test_json_says_what_was_done(simulated: Simulated) -> None:
    said = simulated.said
    assert (said["schools_count"], said["days_count"], said["seed"]) == (SCHOOLS, DAYS, SEED)
    assert (
        said["devices_count"] == SCHOOLS + 1 == len(answer("devices", data_dir=simulated.collector.data_dir)["devices"])
    )
    assert said["answers"].keys() <= {"200", "429"}
    assert said["answers"]["200"] == said["batches_count"] >= SCHOOLS
    assert said["sent_bytes"] > 0
    assert said["duration_s"] > 0


def test_the_same_again_adds_nothing_and_says_why(simulated: Simulated) -> None:
    data_dir = simulated.collector.data_dir
    refused = command(*_arguments(), "--url", simulated.collector.url, data_dir=data_dir, expect=1)
    assert "a fleet was simulated here before; simulate into another data directory" in refused.stderr
    assert simulated.collector.metric("mektep_store_readings") == simulated.said["stored_count"]
    assert len(answer("devices", data_dir=data_dir)["devices"]) == simulated.said["devices_count"]


@pytest.mark.parametrize("language", MARKS)
def test_the_list_says_of_every_school_and_of_the_whole_that_it_is_simulated(
    simulated: Simulated, language: str
) -> None:
    page = simulated.collector.get(f"/?lang={language}").text
    assert len(set(NAME.findall(page))) == page.count(MARKS[language]) == SCHOOLS
    whole = page[: page.index('<ul class="tiles">')]
    assert re.search(r'chip-simulated">[^<]*\b8\b[^<]*\b8\b', whole)


@pytest.mark.parametrize("language", MARKS)
def test_a_schools_page_says_so_beside_its_figures(simulated: Simulated, language: str) -> None:
    page = simulated.collector.get(f"/schools/simulated-1?lang={language}").text
    assert MARKS[language] in page[: page.index('<div class="cards">')]
    assert "Simulated school 1" in page
    assert "Simulated provider " in page


def test_no_real_computer_is_let_into_a_simulated_school(simulated: Simulated) -> None:
    refused = command("code", "new", "simulated-1", data_dir=simulated.collector.data_dir, expect=1)
    assert "whose readings are simulated, so it takes none for measured ones" in refused.stderr


def test_no_schools_that_exist_are_imported_beside_it(simulated: Simulated) -> None:
    data_dir = simulated.collector.data_dir
    refused = command("schools", "import", str(EXAMPLE), "--yes", data_dir=data_dir, expect=1)
    assert "a fleet was simulated here" in refused.stderr
    assert {one["id"] for one in answer("schools", "list", data_dir=data_dir)["schools"]} == {
        f"simulated-{number}" for number in range(1, SCHOOLS + 1)
    }


def test_no_fleet_is_simulated_beside_schools_that_exist(tmp_path: Path) -> None:
    command("schools", "import", str(EXAMPLE), "--yes", data_dir=tmp_path)
    refused = command(*_arguments(), "--url", "http://127.0.0.1:1", data_dir=tmp_path, expect=1)
    assert "the register holds schools that exist" in refused.stderr
    assert not [one for one in answer("schools", "list", data_dir=tmp_path)["schools"] if "simulated" in one["id"]]


def test_without_a_collector_nothing_is_enrolled_and_it_can_be_tried_again(tmp_path: Path) -> None:
    refused = command(*_arguments(), "--url", "http://127.0.0.1:1", data_dir=tmp_path, expect=4)
    assert "no collector answers at http://127.0.0.1:1" in refused.stderr
    assert "mektep-collector serve" in refused.stderr
    assert answer("schools", "list", data_dir=tmp_path)["schools"] == []


def test_another_data_directorys_collector_takes_nothing_and_the_command_says_so(
    simulated: Simulated, tmp_path: Path
) -> None:
    before = simulated.collector.metric("mektep_store_readings")
    refused = command(*_arguments(1), "--url", simulated.collector.url, data_dir=tmp_path, expect=1)
    assert "the collector does not take a batch" in refused.stderr
    assert "401" in refused.stderr
    assert simulated.collector.metric("mektep_store_readings") == before


def test_a_table_of_figures_is_told_to_the_person_at_the_terminal(tmp_path: Path) -> None:
    with running_collector(tmp_path, "--no-measure") as collector:
        told = command("simulate", "--schools", "1", "--days", "3", "--url", collector.url, data_dir=tmp_path)
    assert told.stdout == ""
    assert re.search(r"\d+ simulated readings of 1 computers in 1 schools are in, ", told.stderr)
    assert "0 were there already, 0 were refused" in told.stderr
