"""The page of faults names, in each line, a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)` \|$")


def test_each_fault_is_held_by_a_test() -> None:
    rows = [line for line in (ROOT / "docs/methods/faults.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 10
    for row in rows:
        named = NAMED.search(row)
        assert named, row
        path, name = named.groups()
        assert f"def {name}(" in (ROOT / path).read_text(), row
