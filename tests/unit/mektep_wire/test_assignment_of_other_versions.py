"""Agents and collectors of neighbouring versions read each other's assignments, while settings stay as they were."""

import json

import pytest

from mektep_wire import Assignment, WireError, decode, encode
from tests.support.school_assignment import school

YOUNG_FIELDS = ("token_lifetime_s", "renewal_asked_at")


def test_an_agent_that_does_not_know_the_renewal_of_tokens_reads_the_rest() -> None:
    """It refuses fields that it does not know: these are not there while nobody set them."""
    assert not set(YOUNG_FIELDS) & set(json.loads(encode(school())))


def test_an_assignment_of_a_collector_that_does_not_know_it_is_read() -> None:
    read = decode(Assignment, encode(school()))
    assert (read.token_lifetime_s, read.renewal_asked_at) == (None, None)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(WireError, match="unknown"):
        decode(Assignment, json.dumps(json.loads(encode(school())) | {"of_the_next_version": 1}).encode())
