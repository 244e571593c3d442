"""What a test needs of its machine: absent, the test is skipped with the reason; where `CI` is set, it fails."""

import os

import pytest


def require(condition: bool, reason: str) -> None:
    """Go on if `condition` holds; else skip the test, or fail it where everything must be present."""
    if condition:
        return
    if os.environ.get("CI"):
        pytest.fail(f"missing where CI is set: {reason}", pytrace=False)
    pytest.skip(reason)
