from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.journal.entry import TimeMethod
from mektep_collector.journal.judgement import pack, unpack

judged = st.lists(
    st.tuples(st.integers(0, 499), st.integers(-(2**63), 2**63 - 1), st.sampled_from(TimeMethod)), max_size=500
)


@given(judged)
def test_what_is_packed_comes_back(items: list[tuple[int, int, TimeMethod]]) -> None:
    packed = pack([index for index, _, _ in items], [at for _, at, _ in items], [method for _, _, method in items])
    assert len(packed) == 11 * len(items)
    assert unpack(packed) == items


def test_the_packed_form_on_disk_never_changes() -> None:
    packed = pack([3, 7], [1_700_000_000_000_000, -1], [TimeMethod.CLOCK_OFFSET, TimeMethod.QUARANTINED])
    assert packed.hex() == "00401e18240a0600" + "ff" * 8 + "0300" + "0700" + "01" + "02"
    assert unpack(pack([0], [0], [TimeMethod.SAME_BOOT])) == [(0, 0, TimeMethod.SAME_BOOT)]
