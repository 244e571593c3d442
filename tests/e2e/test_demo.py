"""The README's first command: everything up, one real agent, one real measurement, and the reading on the page."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.alone

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "run.py"
PROMISED_S = 60.0
"""From `enrol` to the reading on the page."""


@pytest.mark.slow
def test_a_reading_goes_all_the_way_from_a_real_agent_to_the_page() -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO), "--once"], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "throughput download by ndt7: ok" in done.stderr
    assert "throughput upload by ndt7: ok" in done.stderr
    took_s = float(done.stderr.partition("From enrolment to the reading on the page: ")[2].split()[0])
    assert took_s <= PROMISED_S
