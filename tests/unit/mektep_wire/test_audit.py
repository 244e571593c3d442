"""The draw of audits: the stated rule, the same for everybody who knows the seed, and of the stated share."""

import hashlib
import math
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from mektep_wire import is_audit
from tests.support.school_assignment import DEVICE_ID, OTHER_DEVICE_ID

SEED = bytes(range(16))
SLOTS = [f"{date(2026, 1, 1) + timedelta(days=day)}/{number}" for day in range(2_500) for number in range(1, 5)]
seeds = st.binary(min_size=16, max_size=16)
ratios = st.floats(0.0, 1.0)


def by_hand(seed: bytes, device_id: str, slot: str) -> float:
    """Return what is drawn, with HMAC as RFC 2104 writes it."""
    key = seed.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + f"{device_id}\n{slot}".encode()).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()
    return int(outer[:8].hex(), 16) / 2**64


@given(seeds, st.sampled_from(SLOTS), ratios)
def test_anybody_who_knows_the_rule_draws_the_same(seed: bytes, slot: str, ratio: float) -> None:
    assert is_audit(seed, DEVICE_ID, slot, ratio) is (by_hand(seed, DEVICE_ID, slot) < ratio)


def test_the_rule_never_changes() -> None:
    drawn = [slot for slot in SLOTS[:60] if is_audit(SEED, DEVICE_ID, slot, 0.05)]
    assert drawn == ["2026-01-02/2", "2026-01-06/1", "2026-01-11/2"]


@given(seeds)
@settings(max_examples=20)
def test_about_one_run_in_twenty_is_an_audit(seed: bytes) -> None:
    count = sum(is_audit(seed, DEVICE_ID, slot, 0.05) for slot in SLOTS)
    deviation = math.sqrt(len(SLOTS) * 0.05 * 0.95)
    assert abs(count - len(SLOTS) * 0.05) < 6 * deviation


@given(seeds, st.sampled_from(SLOTS), ratios, ratios)
def test_more_audits_are_the_same_ones_and_others(seed: bytes, slot: str, one: float, other: float) -> None:
    assert not is_audit(seed, DEVICE_ID, slot, 0.0)
    assert is_audit(seed, DEVICE_ID, slot, 1.0)
    if is_audit(seed, DEVICE_ID, slot, min(one, other)):
        assert is_audit(seed, DEVICE_ID, slot, max(one, other))


def test_devices_and_seeds_draw_apart() -> None:
    drawn = {
        (seed, device): frozenset(slot for slot in SLOTS if is_audit(seed, device, slot, 0.5))
        for seed in (SEED, bytes(16))
        for device in (DEVICE_ID, OTHER_DEVICE_ID)
    }
    sets = list(drawn.values())
    for number, one in enumerate(sets):
        for other in sets[:number]:
            assert 0.2 * len(SLOTS) < len(one & other) < 0.3 * len(SLOTS)
