import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.journal.gzip_member import GzipError, InflatedTooLarge, inflate, plain_of


@given(st.binary(max_size=5_000), st.integers(0, 9))
def test_what_was_compressed_comes_back_at_any_level(plain: bytes, level: int) -> None:
    assert inflate(gzip.compress(plain, level), len(plain)) == plain


def test_a_body_that_was_sent_as_it_is_stays_so() -> None:
    assert plain_of(b'{"id":1}', 4) == b'{"id":1}'
    assert plain_of(gzip.compress(b'{"id":1}'), 8) == b'{"id":1}'


@given(st.binary(min_size=1, max_size=2_000), st.data())
def test_a_truncated_member_is_refused(plain: bytes, data: st.DataObject) -> None:
    member = gzip.compress(plain)
    with pytest.raises(GzipError):
        inflate(member[: data.draw(st.integers(0, len(member) - 1))], len(plain))


@given(st.binary(max_size=2_000), st.data())
def test_whatever_zlib_refuses_is_refused(plain: bytes, data: st.DataObject) -> None:
    member = bytearray(gzip.compress(plain))
    member[data.draw(st.integers(0, len(member) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = inflate(bytes(member), 4_000)
    except GzipError:
        return
    try:
        assert gzip.decompress(bytes(member)) == found
    except (zlib.error, gzip.BadGzipFile, EOFError):
        pytest.fail("zlib refuses what was inflated")


def test_more_than_the_limit_is_refused_without_being_made() -> None:
    bomb = gzip.compress(bytes(64 * 2**20), 9)
    assert len(bomb) < 70_000
    with pytest.raises(InflatedTooLarge, match="more than 1048576"):
        inflate(bomb, 2**20)


def test_bytes_behind_the_end_and_further_members_are_refused() -> None:
    with pytest.raises(GzipError, match="2 bytes stand behind its end"):
        inflate(gzip.compress(b"{}") + b"\0\0", 100)
    with pytest.raises(GzipError, match="behind its end"):
        inflate(gzip.compress(b"{") + gzip.compress(b"}"), 100)


@pytest.mark.parametrize(
    "other", [b"", b"{}", zlib.compress(b"{}"), b"\x1f\x8b"], ids=["nothing", "json", "zlib", "head"]
)
def test_what_is_not_gzip_is_refused(other: bytes) -> None:
    with pytest.raises(GzipError):
        inflate(other, 100)
