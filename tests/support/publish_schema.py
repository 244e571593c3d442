"""Write the wire's JSON Schema to the golden file that is published with the documentation."""

import json
import sys
from pathlib import Path

from mektep_wire.schema import json_schema
from mektep_wire.version import WIRE_VERSION

GOLDEN = Path(__file__).parents[2] / "docs" / "wire" / f"mektep-wire-{WIRE_VERSION}.schema.json"

if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    sys.stderr.write(f"written: {GOLDEN.name}; look at the difference before you commit it\n")
