import re

from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.registry.secret import new_code, new_token, parse_code, parse_token
from mektep_wire import EnrolmentGrant, EnrolmentRequest
from mektep_wire.schema import components

_WIRE = components("{name}")


def test_a_token_has_the_form_that_the_wire_asks_for_and_none_is_like_another() -> None:
    form = _WIRE[EnrolmentGrant.__name__]["properties"]["token"]["pattern"]
    tokens = {new_token() for _ in range(200)}
    assert len(tokens) == 200
    assert all(re.fullmatch(form, token) and token.startswith("mkd_") for token in tokens)


def test_a_code_has_the_form_that_the_wire_asks_for() -> None:
    form = _WIRE[EnrolmentRequest.__name__]["properties"]["code"]["pattern"]
    assert all(re.fullmatch(form, new_code()) for _ in range(200))


def test_a_token_is_known_again_by_its_parts() -> None:
    token = new_token()
    parsed, again = parse_token(token), parse_token(token)
    assert parsed is not None
    assert again is not None
    assert parsed == again
    assert parsed.id in token
    assert parsed.matches(again.secret_hash)
    assert not parsed.matches(bytes(32))


@given(place=st.integers(0, 67), letter=st.sampled_from("abcXYZ019_-é"))
def test_a_token_with_another_letter_is_none_of_ours(place: int, letter: str) -> None:
    token = new_token()
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    assert (parse_token(changed) is not None) is (changed == token)


@given(st.text(max_size=200))
def test_any_text_at_all_may_be_shown_as_a_token(text: str) -> None:
    assert parse_token(text) is None


def test_only_the_hash_of_a_code_is_known_by_its_parts() -> None:
    code = new_code()
    credential = parse_code(code)
    assert code.startswith(f"{credential.id}.")
    assert len(credential.secret_hash) == 32
    assert code.partition(".")[2].encode() not in credential.secret_hash
