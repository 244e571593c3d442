"""Kazakh letters stand where the Kazakh alphabet has them, and are found by who cannot type them."""

from hypothesis import given
from hypothesis import strategies as st

from mektep_dashboards.i18n.collation import searching_form, sorting_key


def test_kazakh_letters_stand_in_their_own_places() -> None:
    names = ["Яблочный", "Әулиеата", "Іле", "Ғалым", "Абай", "Қарағанды", "Гагарин", "Каскелен", "Ұлытау", "Узынагаш"]
    assert sorted(names, key=sorting_key) == [
        "Абай", "Әулиеата", "Гагарин", "Ғалым", "Каскелен", "Қарағанды", "Узынагаш", "Ұлытау", "Іле", "Яблочный",
    ]  # fmt: skip


def test_numbers_are_sorted_by_value() -> None:
    names = ["№ 12 мектеп", "№ 7 мектеп", "№ 100 мектеп"]
    assert sorted(names, key=sorting_key) == ["№ 7 мектеп", "№ 12 мектеп", "№ 100 мектеп"]


def test_a_russian_keyboard_finds_kazakh_names() -> None:
    assert searching_form("  Қарағанды   ӨҢІРІ ") == searching_form("караганды онири")
    assert searching_form("Ұлытау") == searching_form("улытау")


@given(st.lists(st.text(), max_size=20))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    assert sorted(sorted(names, key=sorting_key)) == sorted(names)


@given(st.text())
def test_what_is_compared_in_a_search_is_stable(text: str) -> None:
    assert searching_form(text) == searching_form(text)
