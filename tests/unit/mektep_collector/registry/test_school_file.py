from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.registry.records import Technology
from mektep_collector.registry.regions import FORMER_REGIONS, REGIONS
from mektep_collector.registry.school_file.fault import SchoolFileError
from mektep_collector.registry.school_file.letters import mend_letters
from mektep_collector.registry.school_file.read import read_school_file
from tests.support.school_table import table

ROOT = Path(__file__).parents[4]


def faults_of(data: bytes) -> list[str]:
    with pytest.raises(SchoolFileError) as caught:
        read_school_file(data)
    return [str(fault) for fault in caught.value.faults]


def test_every_cell_becomes_its_field() -> None:
    (school,) = read_school_file(table({"norm_mbps": "25.5"})).schools
    assert (school.id, school.name, school.region, school.district) == (
        "0007", "Example school", "KZ-61", "Example district",
    )  # fmt: skip
    assert (school.pupils_count, school.places_count, school.norm_mbps) == (526, 480, 25.5)
    assert school.technology is Technology.FIBRE
    assert school.commitment is not None
    assert (school.commitment.download_mbps, school.commitment.upload_mbps) == (30.0, 10.0)
    assert school.commitment.valid_from == date(2026, 1, 1)


def test_the_example_of_the_documentation_can_be_imported() -> None:
    read = read_school_file((ROOT / "docs" / "examples" / "schools.csv").read_bytes())
    assert len(read.schools) == 6
    assert read.notes == []
    assert all(school.id.startswith("0") for school in read.schools)


def test_empty_cells_are_what_nobody_knows() -> None:
    empty = dict.fromkeys(("district", "time_zone", "pupils", "places", "technology", "norm_mbps"), "")
    contract = dict.fromkeys(("provider", "contract_download_mbps", "contract_upload_mbps", "contract_from"), "")
    (school,) = read_school_file(table({**empty, **contract})).schools
    assert (school.time_zone, school.technology) == ("Asia/Almaty", Technology.UNKNOWN)
    assert (school.pupils_count, school.places_count, school.norm_mbps, school.commitment) == (None, None, None, None)


def test_a_spreadsheet_may_write_as_it_does() -> None:
    spreadsheet = {
        "contract_download_mbps": "20,5",
        "contract_from": "01.09.2025",
        "pupils": "1 200",
        "region": "kz-61",
    }
    data = b"\xef\xbb\xbf" + table(spreadsheet, delimiter=";").replace(b"\n", b"\r\n")
    (school,) = read_school_file(data).schools
    assert school.commitment is not None
    assert (school.commitment.download_mbps, school.commitment.valid_from) == (20.5, date(2025, 9, 1))
    assert (school.pupils_count, school.region) == (1_200, "KZ-61")


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("school_id", "", "column 1 (school_id): it is empty"),
        ("school_id", "1.23457E+11", "format the column as text"),
        ("school_id", "a/b", "is no id"),
        ("name", "", "column 2 (name): it is empty"),
        ("name", "x" * 301, "301 characters"),
        ("region", "KZ-YUZ", "KZ-61 (Turkistan) now"),
        ("region", "KZ-VOS", "KZ-63 (East Kazakhstan) or KZ-10 (Abai Region) now"),
        ("region", "61", "write KZ-61"),
        ("region", "Almaty", "KZ-19 (Almaty Region) or KZ-75 (Almaty)"),
        ("region", "RU-MOW", "column 3 (region): 'RU-MOW' is no region"),
        ("time_zone", "Asia/Turkistan", "is no time zone"),
        ("time_zone", "../etc/passwd", "is no time zone"),
        ("time_zone", "UTC+5", "is no time zone"),
        ("pupils", "0", "not between 1 and"),
        ("pupils", "-5", "is no whole number"),
        ("pupils", "12.5", "is no whole number"),
        ("pupils", "1" * 400, "is no whole number"),
        ("technology", "fiber", "did you mean fibre?"),
        ("technology", "pigeon", "write one of"),
        ("contract_download_mbps", "1,000", "two ways"),
        ("contract_download_mbps", "0", "not above 0"),
        ("contract_download_mbps", "nan", "is no number"),
        ("contract_download_mbps", "1e3", "is no number"),
        ("contract_from", "2026-02-30", "no day of the calendar"),
        ("contract_from", "09/01/2026", "is no date"),
        ("contract_from", "", "a contract is told whole or not at all; empty are contract_from"),
        ("norm_mbps", "-1", "column 13 (norm_mbps)"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_is_told_with_its_place(column: str, text: str, words: str) -> None:
    told = faults_of(table({}, {"school_id": "0008", column: text}).replace(b"1,000", b'"1,000"'))
    assert len(told) == 1
    assert told[0].startswith("line 3, column ")
    assert words in told[0]


def test_every_fault_of_a_file_is_told_at_once() -> None:
    told = faults_of(table({"region": "KZ-99"}, {"school_id": "2", "pupils": "x", "norm_mbps": "y"}))
    assert [text.split(":")[0] for text in told] == [
        "line 2, column 3 (region)",
        "line 3, column 6 (pupils)",
        "line 3, column 13 (norm_mbps)",
    ]


def test_a_school_has_one_line() -> None:
    assert faults_of(table({}, {"school_id": "8"}, {})) == [
        "line 4, column 1 (school_id): '0007' stands in line 2 too; a school has one line"
    ]


def test_lines_count_as_an_editor_counts_them() -> None:
    assert faults_of(b'school_id,name,region\n\n1,"two\nlines",KZ-61\n2,x,KZ-0\n')[1].startswith("line 5, column 3")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"school_id,name,regoin\n", ["line 1, column 3: no column is named 'regoin'; did you mean 'region'?",
                                      "line 1: the column 'region' is missing"]),
        (b"school_id,name,region,name\n", ["line 1, column 4: the column 'name' stands twice"]),
        (b"school_id\tname\tregion\n", ["divided by tabs"]),
        (b"", ["is missing"]),
        (b"school_id,name,region\n", ["no school follows the header"]),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_is_told_with_a_hint(header: bytes, words: list[str]) -> None:
    told = "\n".join(faults_of(header))
    assert all(word in told for word in words)


def test_a_line_of_another_length_is_told() -> None:
    assert "it has 2 cells, the header 3" in faults_of(b"school_id,name,region\n1,x\n")[0]


def test_quotes_that_never_end_are_told() -> None:
    assert faults_of(b'school_id,name,region\n1,"x,KZ-61\n')[0].startswith("line 2: the quotes are not as CSV wants")


def test_another_encoding_is_told_with_line_and_column() -> None:
    data = "school_id;name;region\n1;Example;KZ-61\n2;Школа;KZ-61\n".encode("cp1251")
    assert faults_of(data) == [
        "line 3, column 2: this is not UTF-8, perhaps Windows-1251; save the file again as `CSV UTF-8`"
    ]


def test_files_that_are_no_text_are_told() -> None:
    assert "UTF-16" in faults_of("school_id,name,region".encode("utf-16"))[0]
    assert "no text file" in faults_of(b"school_id\0")[0]


@given(st.binary(max_size=300))
def test_no_bytes_at_all_do_more_than_have_faults(data: bytes) -> None:
    with pytest.raises(SchoolFileError):
        read_school_file(data)


@given(st.lists(st.lists(st.text(max_size=12), min_size=3, max_size=3), max_size=5))
def test_no_cells_at_all_do_more_than_have_faults(rows: list[list[str]]) -> None:
    lines = ['"' + '","'.join(cell.replace('"', '""') for cell in row) + '"' for row in rows]
    text = "\n".join(["school_id,name,region", *lines, "1,x,KZ-0"])
    assert faults_of(text.encode("utf-8", "surrogatepass"))


def test_an_id_that_may_have_lost_its_zeros_is_noted() -> None:
    rows = [{"school_id": f"{number:012}"} for number in range(9)] + [{"school_id": "12345678901"}]
    (note,) = read_school_file(table(*rows)).notes
    assert str(note).startswith("line 11, column 1 (school_id): '12345678901' has 11 digits where most have 12")


def test_latin_letters_in_cyrillic_words_are_mended_and_noted() -> None:
    read = read_school_file(table({"name": "Мектeп", "district": "Түркiстан Iле"}))
    assert read.schools[0].name == "Мектeп"  # a Latin e: this word is not ours to guess at
    assert read.schools[0].district == "Түрк\u0456стан \u0406ле"
    assert [note.name for note in read.notes] == ["district"]


@pytest.mark.parametrize(
    ("text", "mended"),
    [("бiлiм", "б\u0456л\u0456м"), ("шahар", "шahар"), ("баhа", "ба\u04bbа"), ("Wi-Fi high", "Wi-Fi high"), ("", "")],
)
def test_which_letters_are_mended(text: str, mended: str) -> None:
    assert mend_letters(text) == mended


def test_every_former_region_has_an_heir_and_there_are_twenty() -> None:
    heirs = [heir for named in FORMER_REGIONS.values() for heir in named]
    assert len(REGIONS) == 20
    assert sorted(heirs) == sorted(REGIONS)
