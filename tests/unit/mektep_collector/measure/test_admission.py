import pytest

from mektep_collector.measure.admission import Admission, Place


def test_places_are_given_up_to_the_limit_and_come_back() -> None:
    admission = Admission(1)
    with admission.place() as first:
        with admission.place() as second:
            assert (first, second) == (Place.FREE, Place.TAKEN)
        with admission.place() as third:
            assert third is Place.TAKEN
    with admission.place() as fourth:
        assert fourth is Place.FREE


def test_a_place_comes_back_after_a_defect() -> None:
    admission = Admission(1)
    with pytest.raises(ZeroDivisionError), admission.place():
        _ = 1 / 0
    with admission.place() as place:
        assert place is Place.FREE
