"""What is signed is what is read: a signature covers every byte and one purpose."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from mektep_wire import Batch, Purpose, decode, encode, format_signature, parse_signature, signing_input
from tests.support.wire_examples import batches

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@given(batches)
def test_what_is_signed_is_what_is_read(batch: Batch) -> None:
    body = encode(batch)
    header = format_signature(KEY.sign(signing_input(Purpose.BATCH, body)))
    KEY.public_key().verify(parse_signature(header), signing_input(Purpose.BATCH, body))
    assert decode(Batch, body) == batch


@given(batches, st.data())
def test_one_changed_byte_breaks_the_signature(batch: Batch, data: st.DataObject) -> None:
    body = bytearray(encode(batch))
    signature = KEY.sign(signing_input(Purpose.BATCH, bytes(body)))
    where = data.draw(st.integers(0, len(body) - 1))
    body[where] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidSignature):
        KEY.public_key().verify(signature, signing_input(Purpose.BATCH, bytes(body)))


@given(st.binary(max_size=100), st.sampled_from(Purpose), st.sampled_from(Purpose))
def test_a_signature_for_one_purpose_serves_no_other(payload: bytes, purpose: Purpose, other: Purpose) -> None:
    assert (signing_input(purpose, payload) == signing_input(other, payload)) is (purpose is other)


@given(st.binary(min_size=64, max_size=64))
def test_the_text_form_keeps_every_byte(signature: bytes) -> None:
    assert parse_signature(format_signature(signature)) == signature


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ed25519="),
        ("rsa=AAAA", "ed25519="),
        ("ed25519", "ed25519="),
        ("ed25519=%%%", "not base64"),
        ("ed25519=AAAA", "64 bytes, not 3"),
    ],
)
def test_a_bad_text_form_is_refused_with_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_signature(text)
