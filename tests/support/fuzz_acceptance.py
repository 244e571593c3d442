"""Bodies that were spoilt at random, opened as the collector opens them: refused by name or taken, and nothing else.

`python -m tests.support.fuzz_acceptance --seconds 600` goes on until the time is over and prints what it saw; it ends
with 1, and shows the seed, at the first body that was answered in any other way.
"""

import argparse
import gzip
import sys
import time
from collections import Counter
from random import Random

import msgspec

from mektep_collector.journal.gzip_member import GzipError, inflate
from mektep_collector.journal.submission import Opened, OtherDeviceError, open_batch, open_submission
from mektep_wire import WireError
from mektep_wire.batch import MAX_BATCH_BYTES
from tests.support.school_device import NOON, SchoolDevice

SLOW_S = 2.0
"""No body may take longer: a whole batch takes a thousandth of that."""
_READINGS_COUNT = 12
_ODD = (
    b"null", b"-1", b"1e308", b"-1e309", b"NaN", b"9" * 400, b'""', b"[]", b"{}", b"true", b'"\\ud800"', b'"\\u0000"',
    b"[[[[[[[[", b'{"a":' * 50, b"\xff\xfe", b"0.1e-400", b"18446744073709551616",
)  # fmt: skip


def batch_of(seed: int) -> tuple[SchoolDevice, bytes]:
    """Return a device and a good batch of it."""
    device = SchoolDevice(seed)
    return device, device.batch([device.reading(seq) for seq in range(1, 1 + _READINGS_COUNT)])


def spoilt(body: bytes, draw: Random) -> bytes:
    """Return a body with some of its bytes changed, cut, doubled, or with a part of its JSON put in another's place."""
    octets = bytearray(body)
    for _ in range(draw.choice((1, 1, 1, 2, 5, 40))):
        if not octets:
            return b""
        at = draw.randrange(len(octets))
        match draw.randrange(7):
            case 0:
                octets[at] = draw.randrange(256)
            case 1:
                octets[at] ^= 1 << draw.randrange(8)
            case 2:
                del octets[at : at + draw.randrange(1, 60)]
            case 3:
                octets[at:at] = octets[at : at + draw.randrange(1, 200)]
            case 4:
                octets[at:at] = draw.choice(_ODD)
            case 5:
                octets = _swapped(octets, draw)
            case _:
                octets = octets[: draw.randrange(len(octets) + 1)]
    return bytes(octets)


def answer(device: SchoolDevice, body: bytes) -> str:
    """Return what the collector makes of a body: `taken`, `parted` or `refused`. Raises whatever it should not."""
    try:
        found = open_batch(body)
        open_submission(device.record, body, body, b"", NOON)
    except (WireError, OtherDeviceError) as error:
        if not str(error):
            raise AssertionError("a refusal says nothing") from error
        return "refused"
    _check(found)
    return "parted" if found.refused else "taken"


def inflated(member: bytes, max_bytes: int = MAX_BATCH_BYTES) -> str:
    """Return what the inflater makes of a body: `inflated` or `refused`. Raises whatever it should not."""
    try:
        plain = inflate(member, max_bytes)
    except GzipError as error:
        if not str(error):
            raise AssertionError("a refusal says nothing") from error
        return "refused"
    if len(plain) > max_bytes:
        raise AssertionError(f"{len(plain)} bytes came out, more than {max_bytes}")
    return "inflated"


def one(seed: int) -> str:
    """Open the spoilt body that a seed stands for, and return how it was answered."""
    draw = Random(seed)
    device, body = batch_of(seed % 50)
    began_s = time.monotonic()
    if draw.random() < 0.4:
        told = inflated(spoilt(gzip.compress(body, draw.randrange(1, 10)), draw), draw.choice((100, MAX_BATCH_BYTES)))
    else:
        told = answer(device, spoilt(body, draw))
    if time.monotonic() - began_s > SLOW_S:
        raise AssertionError(f"it took {time.monotonic() - began_s:.1f} s")
    return told


def _check(found: Opened) -> None:
    """See that what was taken can be written down and read back as it is."""
    if found.columns is not None:
        again = msgspec.json.decode(msgspec.json.encode(found.columns), type=type(found.columns))
        if again != found.columns:
            raise AssertionError("what was taken does not read back as it is")


def _swapped(octets: bytearray, draw: Random) -> bytearray:
    """Return a JSON text with the values of two members of its readings exchanged; as it is where it is no JSON."""
    try:
        tree = msgspec.json.decode(bytes(octets))
        readings = tree["readings"]
        one_name, other_name = draw.sample(sorted(readings), 2)
        readings[one_name], readings[other_name] = readings[other_name], readings[one_name]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError, ValueError):
        return octets
    return bytearray(msgspec.json.encode(tree))


def main() -> None:
    """Go on until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    ends_s = time.monotonic() + given.seconds
    seed = given.seed * 1_000_000
    while time.monotonic() < ends_s:
        seed += 1
        try:
            counts[one(seed)] += 1
        except Exception:
            print(f"seed {seed}: answered as nothing should be", file=sys.stderr)
            raise
    print(f"{sum(counts.values()):,} bodies in {given.seconds:g} s from seed {given.seed}: {dict(counts)}")


if __name__ == "__main__":
    main()
