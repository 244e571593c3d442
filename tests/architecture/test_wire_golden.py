"""The published schema is a golden file: a change of the wire by accident fails here."""

import json

from mektep_wire.schema import json_schema
from tests.support.publish_schema import GOLDEN


def test_the_wire_is_as_published() -> None:
    assert json.loads(GOLDEN.read_text("utf-8")) == json.loads(json.dumps(json_schema())), (
        f"the wire has changed; if that is meant, run `make schema`, look at the difference in {GOLDEN.name}, "
        "and say in CHANGELOG.md what agents and collectors of the last version will do"
    )
