"""Text goes into tags and questions, and nothing of it comes out as something else."""

from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.store.influx.text import is_one_of, named, quoted, stored_tag, tag_text, text_of_tag

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts)
def test_a_tag_gives_back_its_text(text: str) -> None:
    assert text_of_tag(stored_tag(text)) == text


@given(texts)
def test_a_tag_has_neither_line_ends_nor_backslashes(text: str) -> None:
    assert not set("\\\n\r\t") & set(stored_tag(text))


@given(texts)
def test_a_quoted_text_ends_only_at_its_end(text: str) -> None:
    inside = quoted(text)[1:-1].replace("\\\\", "").replace("\\'", "")
    assert "'" not in inside
    assert "\n" not in inside


def test_ids_as_registers_give_them_stay_as_they_are() -> None:
    assert stored_tag("kz-ala-0007 Әуезов") == "kz-ala-0007 Әуезов"
    assert tag_text("kz-ala-0007 Әуезов") == "kz-ala-0007\\ Әуезов"
    assert quoted("kz-ala-0007") == "'kz-ala-0007'"
    assert named("school_id") == '"school_id"'


def test_several_schools_are_a_choice() -> None:
    assert is_one_of("school_id", ["a", "o'b"]) == "(\"school_id\" = 'a' OR \"school_id\" = 'o\\'b')"
