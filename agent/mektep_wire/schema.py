"""The wire as JSON Schema (2020-12), made from the types, so that others can speak it and no change goes unseen."""

from typing import Any

import msgspec

from mektep_wire.assignment import Assignment, SignedAssignment
from mektep_wire.batch import Batch, Receipt
from mektep_wire.columns import Columns
from mektep_wire.enrolment import EnrolmentGrant, EnrolmentRequest
from mektep_wire.lease import LeaseAnswer, LeaseRequest
from mektep_wire.problem import Problem
from mektep_wire.reading import Reading
from mektep_wire.renewal import TokenGrant, TokenRequest
from mektep_wire.version import WIRE_VERSION

WIRE_TYPES: tuple[type[msgspec.Struct], ...] = (
    Reading,
    Batch,
    Columns,
    Receipt,
    EnrolmentRequest,
    EnrolmentGrant,
    Assignment,
    SignedAssignment,
    LeaseRequest,
    LeaseAnswer,
    TokenRequest,
    TokenGrant,
    Problem,
)
"""Every type that crosses the wire as a document of its own."""


def components(ref_template: str) -> dict[str, dict[str, Any]]:
    """Return the schema of each wire type and of what it is made of, by name.

    `ref_template` is where one schema finds another, with `{name}` in it. A batch holds its columns still encoded;
    its schema says what is inside.
    """
    _, schemas = msgspec.json.schema_components(WIRE_TYPES, ref_template=ref_template)
    schemas["Batch"]["properties"]["readings"] = {"$ref": ref_template.format(name="Columns")}
    return schemas


def json_schema() -> dict[str, Any]:
    """Return one JSON Schema document that defines every wire type under `$defs`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mektep-meter:wire:{WIRE_VERSION}",
        "title": f"Mektep Meter wire, version {WIRE_VERSION}",
        "$defs": components("#/$defs/{name}"),
    }
