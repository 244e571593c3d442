"""Spoilt bodies are refused by name, or their good readings taken: the decoder and the inflater know nothing else."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.support.fuzz_acceptance import answer, batch_of, inflated, one


@given(st.integers(min_value=0, max_value=2**40))
def test_a_spoilt_body_is_refused_or_taken(seed: int) -> None:
    assert one(seed) in {"refused", "taken", "parted", "inflated"}


@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_refused_as_a_batch(body: bytes) -> None:
    device, _ = batch_of(0)
    assert answer(device, body) == "refused"


@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_no_surprise_to_the_inflater(member: bytes) -> None:
    assert inflated(member) in {"refused", "inflated"}


def test_the_spoiling_reaches_each_kind_of_answer() -> None:
    """Else the tests above would show little."""
    counts = Counter(one(seed) for seed in range(600))
    assert set(counts) == {"refused", "taken", "parted", "inflated"}
