"""Write the OpenAPI document to the documentation, after a change of the interface that is meant.

`python -m tests.support.publish_openapi` writes it; `published()` is what a test compares.
"""

import json
import sys
from pathlib import Path

from typer.testing import CliRunner

from mektep_collector.cli import app

FILE = Path(__file__).parents[2] / "docs" / "wire" / "mektep-openapi-1.json"


def published() -> str:
    """Return the document as the program prints it, laid out for reading."""
    printed = CliRunner().invoke(app, ["openapi"], catch_exceptions=False)
    return json.dumps(json.loads(printed.stdout), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(published(), "utf-8")
    sys.stderr.write(f"written: {FILE.name}\n")
